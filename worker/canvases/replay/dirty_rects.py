"""Dirty rectangles: the area around ink that must be redrawn when a shape changes."""

import math
from dataclasses import dataclass

import numpy as np

from worker.canvases.lettering.bounds import ink_of
from worker.canvases.replay.partial import is_freehand
from worker.canvases.shapes import Circle, Figure, Lines, Points


@dataclass(frozen=True, slots=True)
class DirtyRect:
    """A rectangle of a page, in CSS pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def union(self, other: "DirtyRect") -> "DirtyRect":
        """The smallest rectangle that contains both."""
        return DirtyRect(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def box_of(figure: Figure) -> DirtyRect:
    """The box around all ink of the figure."""
    if isinstance(figure, Lines):
        drawn = [contour for contour in figure.contours if len(contour)]
        return _around(np.concatenate(drawn), figure.width) if drawn else DirtyRect(0, 0, 0, 0)
    if isinstance(figure, Circle):
        reach = figure.radius + figure.width / 2
        return DirtyRect(figure.x - reach, figure.y - reach, figure.x + reach, figure.y + reach)
    return DirtyRect(*ink_of(figure))


def box_between(figure: Figure, before: float, after: float) -> DirtyRect:
    """The box around what changes when the drawn fraction of the figure grows from `before` to `after`."""
    if before <= 0 or not isinstance(figure, Lines) or not is_freehand(figure):
        return box_of(figure)
    contour = figure.contours[0]
    steps = len(contour) - 1
    return _around(contour[math.floor(before * steps) : math.ceil(after * steps) + 1], figure.width)


def _around(points: Points, width: float) -> DirtyRect:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    reach = width / 2
    return DirtyRect(float(left) - reach, float(top) - reach, float(right) + reach, float(bottom) + reach)
