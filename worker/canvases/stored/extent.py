"""How large a page is. No size is stored with a board: every browser had its own, so the ink decides."""

import math
from collections.abc import Iterable

import numpy as np

from worker.canvases.figures import LINE_HEIGHT, Circle, Figure, Lines, Text
from worker.canvases.lettering.text import width_of
from worker.canvases.limits import LONGEST_SIDE, MARGIN, PAGE_HEIGHT, PAGE_WIDTH
from worker.canvases.stored.points import number_of

# In font sizes: what hangs below the baseline, the widest sign that people write (a dash of three em), and how far a
# slanted or bold letter leans out of its own width.
_DESCENT = 0.4
_WIDEST_LETTER = 3.0
_OVERHANG = 0.25


def page_size(figures: Iterable[Figure], width: object = None, height: object = None) -> tuple[int, int]:
    """Width and height in whole CSS pixels: what the document says, or 1200x800, and as far as the ink reaches.

    A page that grows leaves a margin; no side is longer than LONGEST_SIDE. It grows to the right and downwards only:
    what was drawn left of or above the board was never seen. An eraser leaves nothing to be seen.
    """
    stated_width, stated_height = _stated(width), _stated(height)
    if stated_width and stated_height:
        return stated_width, stated_height
    right, bottom = 0.0, 0.0
    for figure in figures:
        reach = _reach(figure)
        right, bottom = max(right, reach[0]), max(bottom, reach[1])
    return stated_width or _side(right, PAGE_WIDTH), stated_height or _side(bottom, PAGE_HEIGHT)


def _stated(value: object) -> int | None:
    number = number_of(value)
    return None if number is None or number < 1 else min(LONGEST_SIDE, math.ceil(number))


def _side(reach: float, usual: int) -> int:
    return usual if reach <= usual else min(LONGEST_SIDE, math.ceil(reach) + MARGIN)


def _reach(figure: Figure) -> tuple[float, float]:
    """How far right and down the ink goes."""
    if isinstance(figure, Lines):
        if figure.colour is None or not any(map(len, figure.contours)):
            return 0.0, 0.0
        points = figure.contours[0] if len(figure.contours) == 1 else np.concatenate(figure.contours)
        x, y = points.max(axis=0)
        return float(x) + figure.width / 2, float(y) + figure.width / 2
    if isinstance(figure, Circle):
        reach = figure.radius + figure.width / 2
        return figure.x + reach, figure.y + reach
    below = (len(figure.lines) - 1) * LINE_HEIGHT * figure.size
    return figure.x + _width(figure), figure.y + below + _DESCENT * figure.size


def _width(text: Text) -> float:
    """How wide it is at most; measured only where that may matter, since the fonts need the engine."""
    most = max(map(len, text.lines)) * _WIDEST_LETTER * text.size
    if text.x + most <= PAGE_WIDTH:
        return most
    return max(width_of(line, text) for line in text.lines) + _OVERHANG * text.size
