"""How large a page is. No size is stored with a board: every browser had its own, so the ink decides."""

import math
from collections.abc import Iterable

import numpy as np

from worker.canvases.figures import LINE_HEIGHT, Circle, Figure, Lines
from worker.canvases.limits import LONGEST_SIDE, MARGIN, PAGE_HEIGHT, PAGE_WIDTH
from worker.canvases.points import number_of


def page_size(figures: Iterable[Figure], width: object = None, height: object = None) -> tuple[int, int]:
    """Width and height in whole CSS pixels: what the document says, or 1200x800, and as far as the ink reaches.

    A page that grows leaves a margin; no side is longer than LONGEST_SIDE. It grows to the right and downwards only:
    what was drawn left of or above the board was never seen. An eraser leaves nothing to be seen.
    """
    right, bottom = 0.0, 0.0
    for figure in figures:
        reach = _reach(figure)
        right, bottom = max(right, reach[0]), max(bottom, reach[1])
    return _side(width, right, PAGE_WIDTH), _side(height, bottom, PAGE_HEIGHT)


def _side(stated: object, reach: float, usual: int) -> int:
    given = number_of(stated)
    if given is not None and given >= 1:
        return min(LONGEST_SIDE, math.ceil(given))
    if reach <= usual:
        return usual
    return min(LONGEST_SIDE, math.ceil(reach) + MARGIN)


def _reach(figure: Figure) -> tuple[float, float]:
    """How far right and down the ink goes. Text is taken a little too wide: its true width needs its font."""
    if isinstance(figure, Lines):
        if figure.colour is None or not any(map(len, figure.contours)):
            return 0.0, 0.0
        x, y = np.concatenate(figure.contours).max(axis=0)
        return float(x) + figure.width / 2, float(y) + figure.width / 2
    if isinstance(figure, Circle):
        reach = figure.radius + figure.width / 2
        return figure.x + reach, figure.y + reach
    longest = max(map(len, figure.lines))
    below = (len(figure.lines) - 1) * LINE_HEIGHT * figure.size
    return figure.x + longest * figure.size * 0.6, figure.y + below + 0.3 * figure.size
