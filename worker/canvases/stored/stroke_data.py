"""Converts stored strokes to figures: every type in both of its stored formats, and invalid data.

A line, rectangle or circle has either the freehand `points` that the board's client writes or the geometric keys that
its redraw reads. A stroke that cannot be drawn raises Undrawable and nothing else; corrections are returned as remarks.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from worker.canvases.limits import WIDEST_PEN
from worker.canvases.shapes import BLACK, Circle, Colour, Figure, Lines, Points
from worker.canvases.stored.colours import colour_of
from worker.canvases.stored.points import number_of, points_of
from worker.canvases.stored.shape_fitting import arrow_of, circle_of, rectangle_of, triangle_of
from worker.canvases.stored.text_data import text_of
from worker.stroke_shapes import NotUnderstood, board_shape

# The default of the board's redraw when no width, or zero, is stored.
PEN_WIDTH = 3.0


class Undrawable(Exception):
    """The stroke shows nothing; the message is for people."""


def figure_of(stroke_type: object, data: object) -> tuple[Figure, list[str]]:
    """The figure of one stored stroke, and remarks on what was corrected to draw it. Raises Undrawable."""
    reader = _READERS.get(stroke_type) if isinstance(stroke_type, str) else None
    if reader is None:
        raise Undrawable(f"unknown type {stroke_type[:40]!r}" if isinstance(stroke_type, str) else "it has no type")
    if not isinstance(data, Mapping):
        raise Undrawable("stroke_data is not an object")
    try:
        shape = board_shape(stroke_type, data)
    except NotUnderstood as error:
        raise Undrawable(str(error)) from error
    figure, remarks = reader(shape)
    if _is_nothing(figure):
        raise Undrawable("it has no length")
    return figure, remarks


Read = tuple[Figure, list[str]]


def _pen(data: Mapping[str, Any]) -> Read:
    points, remarks = _freehand(data, least=2)
    return Lines((points,), *_ink(data, remarks)), remarks


def _eraser(data: Mapping[str, Any]) -> Read:
    # The row's colour is ignored: the client stores the pen's colour with erasers too.
    points, remarks = _freehand(data, least=2)
    return Lines((points,), _width(data, remarks), None), remarks


def _line(data: Mapping[str, Any]) -> Read:
    points, remarks = _ends(data)
    return Lines((points,), *_ink(data, remarks)), remarks


def _arrow(data: Mapping[str, Any]) -> Read:
    points, remarks = _ends(data)
    return Lines(arrow_of(points), *_ink(data, remarks)), remarks


def _rectangle(data: Mapping[str, Any]) -> Read:
    if data.get("points"):
        points, remarks = _freehand(data, least=2)
        return Lines((rectangle_of(points),), *_ink(data, remarks), closed=True), remarks
    x, y, width, height = _numbers(data, "x", "y", "width", "height")
    remarks = []
    # Here `width` is the width of the box.
    corners = rectangle_of(np.array([[x, y], [x + width, y + height]]))
    return Lines((corners,), PEN_WIDTH, _colour(data, remarks), closed=True), remarks


def _circle(data: Mapping[str, Any]) -> Read:
    if data.get("points"):
        points, remarks = _freehand(data, least=2)
        x, y, radius = circle_of(points)
    else:
        remarks = []
        x, y, radius = _numbers(data, "x", "y", "radius")
    if radius < 0:
        raise Undrawable("its radius is negative")
    return Circle(x, y, radius, *_ink(data, remarks)), remarks


def _triangle(data: Mapping[str, Any]) -> Read:
    points, remarks = _freehand(data, least=2)
    return Lines((triangle_of(points),), *_ink(data, remarks), closed=True), remarks


def _text(data: Mapping[str, Any]) -> Read:
    x, y = _numbers(data, "x", "y")
    remarks: list[str] = []
    text = text_of(data, x, y, _colour(data, remarks), remarks)
    if text is None:
        raise Undrawable("; ".join(["it has no text", *remarks]) if remarks else "it has no text")
    return text, remarks


_READERS: dict[str, Callable[[Mapping[str, Any]], Read]] = {
    "pen": _pen,
    "eraser": _eraser,
    "line": _line,
    "rectangle": _rectangle,
    "circle": _circle,
    "triangle": _triangle,
    "arrow": _arrow,
    "text": _text,
}


def _is_nothing(figure: Figure) -> bool:
    """Whether the figure has no extent: a canvas then draws nothing, not even a dot."""
    if isinstance(figure, Lines):
        # Nearly every stroke ends at another x than it starts at, which two numbers show.
        return all(
            contour.item(0) == contour.item(-2) and bool((contour == contour[0]).all()) for contour in figure.contours
        )
    return isinstance(figure, Circle) and figure.radius == 0


def _freehand(data: Mapping[str, Any], *, least: int) -> tuple[Points, list[str]]:
    points, remarks = points_of(data.get("points"))
    if len(points) < least:
        raise Undrawable("it has no points" if len(points) == 0 else "a single point shows nothing")
    return points, remarks


def _ends(data: Mapping[str, Any]) -> tuple[Points, list[str]]:
    """First and last point: of the freehand points, or from the geometric keys."""
    if data.get("points"):
        points, remarks = _freehand(data, least=2)
        return points[[0, -1]], remarks
    start_x, start_y, end_x, end_y = _numbers(data, "startX", "startY", "endX", "endY")
    return np.array([[start_x, start_y], [end_x, end_y]]), []


def _numbers(data: Mapping[str, Any], *keys: str) -> list[float]:
    numbers = [number_of(data.get(key)) for key in keys]
    missing = [key for key, number in zip(keys, numbers, strict=True) if number is None]
    if missing:
        raise Undrawable(f"it has no number {', '.join(missing)}")
    return [number for number in numbers if number is not None]


def _ink(data: Mapping[str, Any], remarks: list[str]) -> tuple[float, Colour]:
    return _width(data, remarks), _colour(data, remarks)


def _width(data: Mapping[str, Any], remarks: list[str]) -> float:
    width = data.get("width")
    if not width:
        return PEN_WIDTH
    number = number_of(width)
    if number is None or number < 0:
        remarks.append("its width is no width")
        return PEN_WIDTH
    if number > WIDEST_PEN:
        remarks.append(f"its pen is wider than {WIDEST_PEN:g}")
    return min(number, WIDEST_PEN)


def _colour(data: Mapping[str, Any], remarks: list[str]) -> Colour:
    value = data.get("color")
    if not value:
        return BLACK
    colour = colour_of(value)
    if colour is None:
        remarks.append("its color is no colour")
    return colour or BLACK
