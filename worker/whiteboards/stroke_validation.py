"""Pure checks of the strokes that a client sends, before any of them is stored.

Two formats are stored for line, rectangle and circle: the freehand `points` that the board's client writes, and the
geometric keys that its redraw reads. All lengths are CSS pixels of the client's canvas. Shapes of other libraries are
converted to these first.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from math import isnan
from typing import Any

from worker.errors import InvalidInput
from worker.stroke_formats import UnsupportedStroke, to_board_format
from worker.whiteboards.stroke_values import MAX_POINTS, check_json, check_storable

MAX_STROKES = 500
LONGEST_TEXT = 10_000

# Far beyond any canvas, and well within what 32-bit floats of a drawing engine represent exactly.
FARTHEST = 1_000_000
_NO_POINTS = "points is not a list of [x, y], nor the path or the points of a drawing library that is known"
# A tap has one or two points, in one place.
_MIN_OF_LINE = 3
_GEOMETRY = {
    "line": ("startX", "startY", "endX", "endY"),
    "rectangle": ("x", "y", "width", "height"),
    "circle": ("x", "y", "radius"),
    "text": ("x", "y"),
}


@dataclass(frozen=True)
class NewStroke:
    """A stroke as its client sent it; `client_id` is the client's own name for it on that page."""

    client_id: str
    stroke_type: str
    stroke_data: Mapping[str, Any]
    started_at: datetime | None = None
    ended_at: datetime | None = None


def accepted_stroke(stroke: NewStroke) -> NewStroke:
    """The stroke in the stored format, whatever library wrote it.

    Raises InvalidInput, naming the stroke, when it has nothing to draw, too much, or values that cannot be stored.
    """
    try:
        accepted = replace(stroke, stroke_data=to_board_format(stroke.stroke_type, stroke.stroke_data))
    except UnsupportedStroke as error:
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
    if len(points) > MAX_POINTS:
        raise InvalidInput(f"it has more than {MAX_POINTS} points")
    # All together: checking each number separately took as long as storing it.
    if set(map(type, points)) != {list} or set(map(len, points)) != {2} or not _are_lengths(points):
        raise InvalidInput(_NO_POINTS)


def _are_lengths(points: list[list[Any]]) -> bool:
    numbers = [*chain.from_iterable(points)]
    if not set(map(type, numbers)) <= {int, float}:
        return False
    least, most = min(numbers), max(numbers)
    if least >= 0 and most <= 1 and len(points) >= _MIN_OF_LINE and not all(float(n).is_integer() for n in numbers):
        raise InvalidInput("its points lie within one pixel: send pixels of the page, not fractions of it")
    # min and max may miss NaN, the sum does not.
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
        check_storable(written)
    check_json({key: value for key, value in data.items() if key not in checked}, depth=1)
