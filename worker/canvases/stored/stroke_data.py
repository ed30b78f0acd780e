"""Converts stored strokes to shapes: every type in both of its stored formats, and invalid data.

A line, rectangle or circle has either the freehand `points` that the board's client writes or the geometric keys that
its redraw reads. A stroke that cannot be drawn raises Undrawable and nothing else; corrections are returned as remarks.
"""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from worker.canvases.shapes import Circle, Lines, Shape
from worker.canvases.stored.shape_fitting import arrow_of, circle_of, rectangle_of, triangle_of
from worker.canvases.stored.stroke_fields import (
    PEN_WIDTH,
    Undrawable,
    ends_of,
    freehand,
    ink_colour,
    ink_of,
    numbers_of,
    width_of,
)
from worker.canvases.stored.text_data import text_of
from worker.stroke_formats import UnsupportedStroke, to_board_format


def shape_of(stroke_type: object, data: object) -> tuple[Shape, list[str]]:
    """The shape of one stored stroke, and remarks on what was corrected to draw it. Raises Undrawable."""
    reader = _READERS.get(stroke_type) if isinstance(stroke_type, str) else None
    if reader is None:
        raise Undrawable(f"unknown type {stroke_type[:40]!r}" if isinstance(stroke_type, str) else "it has no type")
    if not isinstance(data, Mapping):
        raise Undrawable("stroke_data is not an object")
    try:
        converted = to_board_format(stroke_type, data)
    except UnsupportedStroke as error:
        raise Undrawable(str(error)) from error
    shape, remarks = reader(converted)
    if _is_nothing(shape):
        raise Undrawable("it has no length")
    return shape, remarks


Read = tuple[Shape, list[str]]


def _pen(data: Mapping[str, Any]) -> Read:
    points, remarks = freehand(data, least=2)
    return Lines((points,), *ink_of(data, remarks)), remarks


def _eraser(data: Mapping[str, Any]) -> Read:
    # The row's colour is ignored: the client stores the pen's colour with erasers too.
    points, remarks = freehand(data, least=2)
    return Lines((points,), width_of(data, remarks), None), remarks


def _line(data: Mapping[str, Any]) -> Read:
    points, remarks = ends_of(data)
    return Lines((points,), *ink_of(data, remarks)), remarks


def _arrow(data: Mapping[str, Any]) -> Read:
    points, remarks = ends_of(data)
    return Lines(arrow_of(points), *ink_of(data, remarks)), remarks


def _rectangle(data: Mapping[str, Any]) -> Read:
    if data.get("points"):
        points, remarks = freehand(data, least=2)
        return Lines((rectangle_of(points),), *ink_of(data, remarks), closed=True), remarks
    x, y, width, height = numbers_of(data, "x", "y", "width", "height")
    remarks = []
    # Here `width` is the width of the box.
    corners = rectangle_of(np.array([[x, y], [x + width, y + height]]))
    return Lines((corners,), PEN_WIDTH, ink_colour(data, remarks), closed=True), remarks


def _circle(data: Mapping[str, Any]) -> Read:
    if data.get("points"):
        points, remarks = freehand(data, least=2)
        x, y, radius = circle_of(points)
    else:
        remarks = []
        x, y, radius = numbers_of(data, "x", "y", "radius")
    if radius < 0:
        raise Undrawable("its radius is negative")
    return Circle(x, y, radius, *ink_of(data, remarks)), remarks


def _triangle(data: Mapping[str, Any]) -> Read:
    points, remarks = freehand(data, least=2)
    return Lines((triangle_of(points),), *ink_of(data, remarks), closed=True), remarks


def _text(data: Mapping[str, Any]) -> Read:
    x, y = numbers_of(data, "x", "y")
    remarks: list[str] = []
    text = text_of(data, x, y, ink_colour(data, remarks), remarks)
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


def _is_nothing(shape: Shape) -> bool:
    """Whether the shape has no extent: a canvas then draws nothing, not even a dot."""
    if isinstance(shape, Lines):
        # Nearly every stroke ends at another x than it starts at, which two numbers show.
        return all(
            contour.item(0) == contour.item(-2) and bool((contour == contour[0]).all()) for contour in shape.contours
        )
    return isinstance(shape, Circle) and shape.radius == 0
