"""Points along an SVG path (SVG 2 §9.3), given as its `d` or as Fabric's list of commands."""

import math
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

from worker.stroke_formats.values import Point, UnsupportedStroke, number_of

_NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
_WORD = re.compile(rf"([MLHVCSQTAZmlhvcsqtaz])|({_NUMBER})|[\s,]+")
# The flags of an arc are single digits, which need no separator after them: `a5 5 0 0110 10`. Groups as in `_WORD`.
_FLAG = re.compile(r"()([01])|[\s,]+")
_FLAG_PLACES = (3, 4)
# How many numbers a command takes; further numbers repeat the command.
_TAKES = {"M": 2, "L": 2, "H": 1, "V": 1, "C": 6, "S": 4, "Q": 4, "T": 2, "A": 7, "Z": 0}
# Points per curve: those of handwriting are a few pixels long. An arc may be a whole circle.
_STEPS = 4
_STEPS_OF_ARC = 32
# An arc of ten characters becomes 32 points: without a limit a short text would fill the memory. Far more points than a
# stroke may have (whiteboards.stroke_values).
_MAX_POINTS = 100_000

Command = tuple[str, list[float]]


def points_along(commands: Sequence[Command]) -> list[Point] | None:
    """The points of one line; None when the commands are not a path.

    Raises UnsupportedStroke when the pen is lifted, and for too many points.
    """
    pen = _Pen()
    for letter, numbers in commands:
        takes = _TAKES.get(letter.upper())
        if takes is None or (len(numbers) % takes if takes else numbers) or (takes and not numbers):
            return None
        if not pen.points and letter not in "Mm":
            return None
        pen.follow(letter, numbers[:takes])
        # Further pairs after that of a moveto are linetos.
        again = {"M": "L", "m": "l"}.get(letter, letter)
        for start in range(takes, len(numbers), takes or 1):
            pen.follow(again, numbers[start : start + takes])
    return pen.points or None


def commands_of_text(path: str) -> list[Command] | None:
    """The commands of a `d` attribute; None when it is not a path."""
    commands: list[Command] = []
    at = 0
    while at < len(path):
        # One word at a time: an expression for all seven numbers of an arc would try every way to split their digits.
        word = (_FLAG if _expects_flag(commands) else _WORD).match(path, at)
        if word is None:
            return None
        if word[1]:
            commands.append((word[1], []))
        elif word[2]:
            number = number_of(float(word[2]), None)
            if number is None or not commands:
                return None
            commands[-1][1].append(number)
        at = word.end()
    return commands


def _expects_flag(commands: list[Command]) -> bool:
    return bool(commands) and commands[-1][0] in "Aa" and len(commands[-1][1]) % _TAKES["A"] in _FLAG_PLACES


def commands_of_list(items: list[Any]) -> list[Command] | None:
    """Fabric's commands: `[["M", x, y], ["Q", cx, cy, x, y]]`; None when one of them is invalid."""
    commands: list[Command] = []
    for item in items:
        if not isinstance(item, list | tuple) or not item or not isinstance(item[0], str):
            return None
        numbers = [number_of(value, None) for value in item[1:]]
        if None in numbers:
            return None
        commands.append((item[0], [float(number) for number in numbers]))
    return commands


class _Pen:
    """Follows commands; `points` begins with the start of the line."""

    def __init__(self) -> None:
        self.points: list[Point] = []
        # The last control point, which a smooth curve reflects, and the kind of curve it belonged to.
        self._control: Point | None = None
        self._kind = ""

    def follow(self, letter: str, numbers: list[float]) -> None:
        kind = letter.upper()
        here = self.points[-1] if self.points else (0.0, 0.0)
        left, top = here if letter.islower() else (0.0, 0.0)
        if kind == "A":
            self.points += _arc(here, numbers[:5], (left + numbers[5], top + numbers[6]))
        elif kind in "HV":
            x, y = (left + numbers[0], here[1]) if kind == "H" else (here[0], top + numbers[0])
            self.points.append((x, y))
        elif kind == "Z":
            self.points.append(self.points[0])
        else:
            corners = [(left + x, top + y) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
            self._follow_corners(kind, here, corners)
        if kind not in "CSQT":
            self._kind = kind
        if len(self.points) > _MAX_POINTS:
            raise UnsupportedStroke(f"its path has more than {_MAX_POINTS} points")

    def _follow_corners(self, kind: str, here: Point, corners: list[Point]) -> None:
        if kind == "M":
            if len(self.points) > 1:
                raise UnsupportedStroke("its path lifts the pen: send each of its lines as a stroke")
            self.points = corners
        elif kind == "L":
            self.points += corners
        else:
            if kind in "ST":
                corners = [self._reflected(here, "CS" if kind == "S" else "QT"), *corners]
            self.points += _curve([here, *corners])
            self._control, self._kind = corners[-2], kind

    def _reflected(self, here: Point, kinds: str) -> Point:
        if self._control is None or not self._kind or self._kind not in kinds:
            return here
        return 2 * here[0] - self._control[0], 2 * here[1] - self._control[1]


def _curve(corners: list[Point]) -> Iterator[Point]:
    """Points of a Bézier curve without its first (De Casteljau's algorithm)."""
    for step in range(1, _STEPS + 1):
        part, left = step / _STEPS, corners
        while len(left) > 1:
            left = [(x + (next_x - x) * part, y + (next_y - y) * part) for (x, y), (next_x, next_y) in pairwise(left)]
        yield left[0]


def _arc(start: Point, arc: list[float], end: Point) -> list[Point]:
    """Points of an elliptical arc without its first (SVG 2 §B.2.4, endpoint to centre parameterisation)."""
    wide, high, turn, large, sweep = abs(arc[0]), abs(arc[1]), math.radians(arc[2]), arc[3], arc[4]
    if not wide or not high:
        return [end]
    cosine, sine = math.cos(turn), math.sin(turn)
    half_x, half_y = (start[0] - end[0]) / 2, (start[1] - end[1]) / 2
    # In the axes of the ellipse, scaled to a circle of radius 1.
    x, y = (cosine * half_x + sine * half_y) / wide, (cosine * half_y - sine * half_x) / high
    if not 0 < x * x + y * y < math.inf:  # both ends are one point, or the ellipse is as good as a line
        return [end]
    distance = math.hypot(x, y)
    if distance > 1:  # radii too small to reach both ends are scaled up
        wide, high, x, y = wide * distance, high * distance, x / distance, y / distance
    reach = math.sqrt(max(0.0, 1 / (x * x + y * y) - 1)) * (-1 if bool(large) == bool(sweep) else 1)
    centre_x, centre_y = reach * y, -reach * x
    first = math.atan2(y - centre_y, x - centre_x)
    angle = math.atan2(-y - centre_y, -x - centre_x) - first
    if sweep and angle < 0:
        angle += 2 * math.pi
    if not sweep and angle > 0:
        angle -= 2 * math.pi
    middle_x, middle_y = (start[0] + end[0]) / 2, (start[1] + end[1]) / 2
    points = []
    for step in range(1, _STEPS_OF_ARC):
        at = first + angle * step / _STEPS_OF_ARC
        u, v = wide * (centre_x + math.cos(at)), high * (centre_y + math.sin(at))
        points.append((middle_x + cosine * u - sine * v, middle_y + sine * u + cosine * v))
    return [*points, end]
