"""Pure checks of the strokes that a client sends, before any of them is stored.

Two shapes are stored for line, rectangle and circle: the freehand `points` that the board's client writes, and the
geometric keys that its redraw reads. All lengths are CSS pixels of the client's canvas. Shapes of other libraries are
converted to these first.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from math import isnan
from typing import Any

from worker.access.session_role import SessionRole
from worker.errors import Forbidden, InvalidInput
from worker.stroke_shapes import NotUnderstood, board_shape

MOST_STROKES = 500
MOST_POINTS = 20_000
LONGEST_TEXT = 10_000
DEEPEST = 6

# Far beyond any canvas, and well within what a drawing engine's 32-bit floats represent exactly.
FARTHEST = 1_000_000
# Beyond it a JavaScript number is no longer exact.
_LARGEST_EXACT = 2**53
_NO_POINTS = "points is not a list of [x, y], nor the path or the points of a drawing library that is known"
# A tap has one or two points, in one place.
_LEAST_OF_LINE = 3
_MOST_KEYS = 32
_LONGEST_WORD = 200
_GEOMETRY = {
    "line": ("startX", "startY", "endX", "endY"),
    "rectangle": ("x", "y", "width", "height"),
    "circle": ("x", "y", "radius"),
    "text": ("x", "y"),
}
PERMISSIONS = ("can_draw", "can_erase", "can_write")
_NEEDED = {"text": "can_write", "eraser": "can_erase"}


@dataclass(frozen=True)
class NewStroke:
    """A stroke as its client sent it; `client_id` is the client's own name for it on that page."""

    client_id: str
    stroke_type: str
    stroke_data: Mapping[str, Any]
    started_at: datetime | None = None
    ended_at: datetime | None = None


def accepted_stroke(stroke: NewStroke) -> NewStroke:
    """The stroke in the stored shape, whatever library wrote it.

    Raises InvalidInput, naming the stroke, when it has nothing to draw, too much, or values that cannot be stored.
    """
    try:
        accepted = replace(stroke, stroke_data=board_shape(stroke.stroke_type, stroke.stroke_data))
    except NotUnderstood as error:
        raise InvalidInput(f"Stroke {stroke.client_id}: {error}.") from error
    _check_stroke(accepted)
    return accepted


def _check_stroke(stroke: NewStroke) -> None:
    try:
        _check_drawable(stroke.stroke_type, stroke.stroke_data)
        _check_values(stroke.stroke_data)
        if stroke.started_at and stroke.ended_at and stroke.ended_at < stroke.started_at:
            raise InvalidInput("it ends before it starts")
    except InvalidInput as error:
        raise InvalidInput(f"Stroke {stroke.client_id}: {error.detail}.") from error


def _check_drawable(stroke_type: str, data: Mapping[str, Any]) -> None:
    geometry = _GEOMETRY.get(stroke_type, ())
    if stroke_type == "text":
        if not isinstance(data.get("text"), str) or not data["text"]:
            raise InvalidInput("stroke_data has no text")
    elif "points" in data:
        return
    elif not geometry:
        raise InvalidInput("stroke_data has no points")
    for key in geometry:
        if not _is_length(data.get(key)):
            raise InvalidInput(f"stroke_data needs a number {key}")


def _check_points(points: object) -> None:
    if not isinstance(points, list) or not points:
        raise InvalidInput(_NO_POINTS)
    if len(points) > MOST_POINTS:
        raise InvalidInput(f"it has more than {MOST_POINTS} points")
    # All at once: checking each number by itself took as long as storing it.
    if set(map(type, points)) != {list} or set(map(len, points)) != {2} or not _are_lengths(points):
        raise InvalidInput(_NO_POINTS)


def _are_lengths(points: list[list[Any]]) -> bool:
    numbers = [*chain.from_iterable(points)]
    if not set(map(type, numbers)) <= {int, float}:
        return False
    least, most = min(numbers), max(numbers)
    if least >= 0 and most <= 1 and len(points) >= _LEAST_OF_LINE and not all(float(n).is_integer() for n in numbers):
        raise InvalidInput("its points lie within one pixel: send pixels of the page, not fractions of it")
    # Least and most may overlook NaN, the sum does not.
    return least >= -FARTHEST and most <= FARTHEST and not isnan(sum(numbers))


def _is_length(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) <= FARTHEST


def _check_values(data: Mapping[str, Any]) -> None:
    if "points" in data:
        _check_points(data["points"])
    if data.get("width") is not None and not _is_length(data["width"]):
        raise InvalidInput("width is not a number")
    checked = {"points"}
    written = data.get("text")
    if isinstance(written, str):
        checked.add("text")
        if len(written) > LONGEST_TEXT:
            raise InvalidInput(f"its text is longer than {LONGEST_TEXT} characters")
        _check_storable(written)
    _check_json({key: value for key, value in data.items() if key not in checked}, depth=1)


def _check_json(value: object, depth: int) -> None:
    if depth > DEEPEST:
        raise InvalidInput(f"stroke_data is nested deeper than {DEEPEST}")
    match value:
        case dict():
            if len(value) > _MOST_KEYS:
                raise InvalidInput(f"an object of stroke_data has more than {_MOST_KEYS} keys")
            for key, inner in value.items():
                _check_word(key)
                _check_json(inner, depth + 1)
        case list():
            if len(value) > MOST_POINTS:
                raise InvalidInput(f"a list of stroke_data has more than {MOST_POINTS} values")
            for inner in value:
                _check_json(inner, depth + 1)
        case str():
            _check_word(value)
        case int() | float():
            _check_number(value)


def _check_word(word: str) -> None:
    if len(word) > _LONGEST_WORD:
        raise InvalidInput(f"stroke_data has a word longer than {_LONGEST_WORD} characters")
    _check_storable(word)


def _check_storable(written: str) -> None:
    # PostgreSQL's jsonb accepts neither.
    if "\x00" in written or not (written.isascii() or all(not "\ud800" <= letter <= "\udfff" for letter in written)):
        raise InvalidInput("stroke_data has text that cannot be stored (NUL or half a character)")


def _check_number(number: float) -> None:
    # Python's JSON reads NaN, Infinity and integers of thousands of digits. Written so that NaN fails too.
    if not abs(number) <= _LARGEST_EXACT:
        raise InvalidInput("stroke_data has a number that is not finite, or too large to be exact")


def permission_for(stroke_type: str) -> str:
    """The key of `student_permissions` that drawing such a stroke needs."""
    return _NEEDED.get(stroke_type, "can_draw")


def check_may_draw(role: SessionRole, permissions: Mapping[str, Any], stroke_types: Iterable[str]) -> None:
    """Raise Forbidden, for all of them, when one of the strokes is not allowed."""
    if role.full:
        return
    for needed in sorted({permission_for(stroke_type) for stroke_type in stroke_types}):
        # Only true itself grants: a row of the platform may hold anything here.
        if permissions.get(needed) is not True:
            raise Forbidden(f"The host of this session has not granted {needed}.")
