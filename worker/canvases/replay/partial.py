"""Partially drawn shapes: as much of a shape as has been drawn at some time."""

import math
import unicodedata

import numpy as np

from worker.canvases.replay.pen_speed import length_of
from worker.canvases.shapes import Circle, Lines, Points, Shape, Text

# The polygon that approximates part of a circle: sides of four pixels at most, except for the largest circles.
_SIDE = 4.0
_MAX_SIDES = 720


def part_of(shape: Shape, fraction: float) -> Shape | None:
    """The part drawn so far, for a `fraction` of 0 to 1; None when nothing is visible yet.

    The points of a pen were sampled at regular intervals, so they appear one by one; the outline of a polygon grows at
    constant speed, text letter by letter.
    """
    if fraction <= 0:
        return None
    if fraction >= 1:
        return shape
    if isinstance(shape, Lines):
        return _part_of_lines(shape, fraction)
    if isinstance(shape, Circle):
        return _arc(shape, fraction)
    return _part_of_text(shape, fraction)


def is_freehand(lines: Lines) -> bool:
    """Whether the points are those of a moving pen, not the corners of a polygon."""
    return len(lines.contours) == 1 and not lines.closed


def _part_of_lines(lines: Lines, fraction: float) -> Lines | None:
    if is_freehand(lines):
        contour = lines.contours[0]
        return _open(lines, [_along(contour, fraction * (len(contour) - 1))])
    outlines = [_outline(contour, closed=lines.closed) for contour in lines.contours]
    left = fraction * sum(map(length_of, outlines))
    parts: list[Points] = []
    for outline in outlines:
        length = length_of(outline)
        if left >= length:
            parts.append(outline)
        elif left > 0:
            parts.append(_along(outline, _steps(outline, left)))
        left -= length
    return _open(lines, parts)


def _open(lines: Lines, parts: list[Points]) -> Lines | None:
    drawn = tuple(part for part in parts if len(part) > 1)
    return Lines(drawn, lines.width, lines.colour) if drawn else None


def _outline(contour: Points, *, closed: bool) -> Points:
    return np.concatenate([contour, contour[:1]]) if closed else contour


def _along(points: Points, steps: float) -> Points:
    """The points up to `steps` segments from the first, the last one interpolated between two points."""
    whole = math.floor(steps)
    if whole >= len(points) - 1:
        return points
    if whole == steps:
        return points[: whole + 1]
    before, after = points[whole], points[whole + 1]
    return np.concatenate([points[: whole + 1], [before + (after - before) * (steps - whole)]])


def _steps(points: Points, length: float) -> float:
    """The number of segments, with a fraction, that have this length."""
    sides = np.hypot(*np.diff(points, axis=0).T)
    reached = np.concatenate([[0.0], np.cumsum(sides)])
    whole = int(np.searchsorted(reached, length, side="right")) - 1
    if whole >= len(sides):
        return float(len(sides))
    return whole + float((length - reached[whole]) / sides[whole])


def _arc(circle: Circle, fraction: float) -> Lines:
    """An arc from the rightmost point, clockwise on the screen, as a canvas draws it."""
    sides = max(8, min(_MAX_SIDES, math.ceil(2 * math.pi * circle.radius / _SIDE)))
    angles = np.linspace(0.0, 2 * math.pi * fraction, max(2, math.ceil(sides * fraction) + 1))
    points = np.column_stack([circle.x + circle.radius * np.cos(angles), circle.y + circle.radius * np.sin(angles)])
    return Lines((points,), circle.width, circle.colour)


def _part_of_text(text: Text, fraction: float) -> Text | None:
    left = math.floor(fraction * sum(map(len, text.lines)))
    lines: list[str] = []
    for line in text.lines:
        if left <= 0:
            break
        # Combining marks appear together with their letter.
        while left < len(line) and unicodedata.combining(line[left]):
            left += 1
        lines.append(line[:left])
        left -= len(line)
    if not any(map(str.strip, lines)):
        return None
    return Text(
        tuple(lines), text.x, text.y, text.size, text.colour, text.bold, text.italic, text.underline, text.strikethrough
    )
