"""The fields of a stored stroke: points, numbers, pen width and colour, corrected or refused."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from worker.canvases.limits import WIDEST_PEN
from worker.canvases.shapes import BLACK, Colour, Points
from worker.canvases.stored.colours import colour_of
from worker.canvases.stored.points import number_of, points_of

# The default of the board's redraw when no width, or zero, is stored.
PEN_WIDTH = 3.0


class Undrawable(Exception):
    """The stroke shows nothing; the message is for people."""


def freehand(data: Mapping[str, Any], *, least: int) -> tuple[Points, list[str]]:
    """The freehand points and remarks on them. Raises Undrawable for fewer than `least`."""
    points, remarks = points_of(data.get("points"))
    if len(points) < least:
        raise Undrawable("it has no points" if len(points) == 0 else "a single point shows nothing")
    return points, remarks


def ends_of(data: Mapping[str, Any]) -> tuple[Points, list[str]]:
    """First and last point: of the freehand points, or from the geometric keys."""
    if data.get("points"):
        points, remarks = freehand(data, least=2)
        return points[[0, -1]], remarks
    start_x, start_y, end_x, end_y = numbers_of(data, "startX", "startY", "endX", "endY")
    return np.array([[start_x, start_y], [end_x, end_y]]), []


def numbers_of(data: Mapping[str, Any], *keys: str) -> list[float]:
    """The numbers under these keys. Raises Undrawable when one is missing."""
    numbers = [number_of(data.get(key)) for key in keys]
    missing = [key for key, number in zip(keys, numbers, strict=True) if number is None]
    if missing:
        raise Undrawable(f"it has no number {', '.join(missing)}")
    return [number for number in numbers if number is not None]


def ink_of(data: Mapping[str, Any], remarks: list[str]) -> tuple[float, Colour]:
    """The width and the colour of the pen; corrections are added to `remarks`."""
    return width_of(data, remarks), ink_colour(data, remarks)


def width_of(data: Mapping[str, Any], remarks: list[str]) -> float:
    """The width of the pen, PEN_WIDTH when none is stored."""
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


def ink_colour(data: Mapping[str, Any], remarks: list[str]) -> Colour:
    """The colour of the pen, black when none is stored."""
    value = data.get("color")
    if not value:
        return BLACK
    colour = colour_of(value)
    if colour is None:
        remarks.append("its color is no colour")
    return colour or BLACK
