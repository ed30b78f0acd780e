"""How large a page is, and what lies beyond it. No size is stored with a board: every browser had its own."""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from worker.canvases.lettering.bounds import body_of
from worker.canvases.limits import LONGEST_SIDE, MARGIN, MOST_PIXELS_OF_PAGE, PAGE_HEIGHT, PAGE_WIDTH
from worker.canvases.shapes import Circle, Figure, Lines
from worker.canvases.stored.points import number_of

# Less than this beyond an edge of the page is not worth a word. CSS pixels.
_UNSEEN = 1.0


class InkBounds(NamedTuple):
    """The box around a figure's path, or around its letters; ink goes `ink` farther on each side."""

    left: float
    top: float
    right: float
    bottom: float
    ink: float


def page_size(reaches: Iterable[InkBounds], width: object = None, height: object = None) -> tuple[int, int]:
    """Width and height in whole CSS pixels: what the document says, or 1200x800, and as far as the ink reaches.

    A page that grows leaves a margin; no side is longer than LONGEST_SIDE, and the page no larger than
    MOST_PIXELS_OF_PAGE. It grows to the right and downwards only: what was drawn left of or above the board was never
    seen. An eraser leaves nothing to be seen.
    """
    stated_width, stated_height = _stated(width), _stated(height)
    right, bottom = 0.0, 0.0
    if not (stated_width and stated_height):
        for reach in reaches:
            right, bottom = max(right, reach.right + reach.ink), max(bottom, reach.bottom + reach.ink)
    return _bounded(stated_width or _side(right, PAGE_WIDTH), stated_height or _side(bottom, PAGE_HEIGHT))


def beyond(reach: InkBounds, width: int, height: int) -> str | None:
    """What of a figure a page of this size does not show, in words; None when it shows all of it.

    Raises OutsidePage when it shows nothing of it.
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
    """Nothing of the figure is on the page; the reason is for people."""


def _stated(value: object) -> int | None:
    number = number_of(value)
    return None if number is None or number < 1 else min(LONGEST_SIDE, math.ceil(number))


def _side(reach: float, usual: int) -> int:
    return usual if reach <= usual else min(LONGEST_SIDE, math.ceil(reach) + MARGIN)


def _bounded(width: int, height: int) -> tuple[int, int]:
    """The size, its longer side cut where the page would have too many pixels; both when neither is short."""
    if width * height <= MOST_PIXELS_OF_PAGE:
        return width, height
    square = math.isqrt(MOST_PIXELS_OF_PAGE)
    if width <= square:
        return width, MOST_PIXELS_OF_PAGE // width
    return (MOST_PIXELS_OF_PAGE // height, height) if height <= square else (square, square)


def ink_bounds_of(figure: Figure) -> InkBounds | None:
    """Where the figure is; None for what leaves no ink."""
    if isinstance(figure, Lines):
        if figure.colour is None or not any(map(len, figure.contours)):
            return None
        points = figure.contours[0] if len(figure.contours) == 1 else np.concatenate(figure.contours)
        (left, top), (right, bottom) = points.min(axis=0).tolist(), points.max(axis=0).tolist()
        return InkBounds(left, top, right, bottom, figure.width / 2)
    if isinstance(figure, Circle):
        x, y, radius = figure.x, figure.y, figure.radius
        return InkBounds(x - radius, y - radius, x + radius, y + radius, figure.width / 2)
    return InkBounds(*body_of(figure))
