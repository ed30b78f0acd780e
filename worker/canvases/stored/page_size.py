"""The size of a page, and what lies beyond it. No size is stored with a board: it depended on the browser."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from worker.canvases.lettering.bounds import body_of
from worker.canvases.limits import LONGEST_SIDE, MARGIN, MAX_PIXELS_OF_PAGE, PAGE_HEIGHT, PAGE_WIDTH
from worker.canvases.shapes import Circle, Lines, Shape
from worker.canvases.stored.points import number_of

# Ink less than this beyond an edge of the page is not reported. CSS pixels.
_UNSEEN = 1.0


class InkBounds(NamedTuple):
    """The bounding box of a shape's path, or of its letters; ink extends `ink` beyond it on each side."""

    left: float
    top: float
    right: float
    bottom: float
    ink: float


def page_size(reaches: Iterable[InkBounds], width: object = None, height: object = None) -> tuple[int, int]:
    """Width and height in whole CSS pixels: as stated by the document, or 1200x800 enlarged to contain the ink.

    An enlarged page has a margin; no side is longer than LONGEST_SIDE, and the area at most MAX_PIXELS_OF_PAGE. It is
    enlarged to the right and downwards only: ink left of or above the board was never visible. Erasers leave no ink.
    """
    stated_width, stated_height = _stated(width), _stated(height)
    right, bottom = 0.0, 0.0
    if not (stated_width and stated_height):
        for reach in reaches:
            right, bottom = max(right, reach.right + reach.ink), max(bottom, reach.bottom + reach.ink)
    return _bounded(stated_width or _side(right, PAGE_WIDTH), stated_height or _side(bottom, PAGE_HEIGHT))


def overflow_message(reach: InkBounds, width: int, height: int) -> str | None:
    """A message when a page of this size shows only part of the shape; None when it shows all of it.

    Raises OutsidePage when it shows none of it.
    """
    if (
        reach.right + reach.ink <= 0
        or reach.bottom + reach.ink <= 0
        or reach.left - reach.ink >= width
        or reach.top - reach.ink >= height
    ):
        raise OutsidePage(f"it lies outside the page of {width}x{height} pixels")
    if min(reach.left, reach.top, width - reach.right, height - reach.bottom) >= -_UNSEEN:
        return None
    return f"it reaches beyond the page of {width}x{height} pixels"


class OutsidePage(Exception):
    """No part of the shape is on the page; the message is for people."""


def _stated(value: object) -> int | None:
    number = number_of(value)
    return None if number is None or number < 1 else min(LONGEST_SIDE, math.ceil(number))


def _side(reach: float, usual: int) -> int:
    return usual if reach <= usual else min(LONGEST_SIDE, math.ceil(reach) + MARGIN)


def _bounded(width: int, height: int) -> tuple[int, int]:
    """The size, its longer side reduced when the page would have too many pixels; both sides when both are long."""
    if width * height <= MAX_PIXELS_OF_PAGE:
        return width, height
    square = math.isqrt(MAX_PIXELS_OF_PAGE)
    if width <= square:
        return width, MAX_PIXELS_OF_PAGE // width
    return (MAX_PIXELS_OF_PAGE // height, height) if height <= square else (square, square)


def ink_bounds_of(shape: Shape) -> InkBounds | None:
    """The bounds of the shape; None when it leaves no ink."""
    if isinstance(shape, Lines):
        if shape.colour is None or not any(map(len, shape.contours)):
            return None
        points = shape.contours[0] if len(shape.contours) == 1 else np.concatenate(shape.contours)
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return InkBounds(left, top, right, bottom, shape.width / 2)
    if isinstance(shape, Circle):
        x, y, radius = shape.x, shape.y, shape.radius
        return InkBounds(x - radius, y - radius, x + radius, y + radius, shape.width / 2)
    return InkBounds(*body_of(shape))
