"""Dirty rectangles: the area around ink that must be redrawn when a shape changes."""

import math
from dataclasses import dataclass

import numpy as np

from worker.canvases.lettering.bounds import ink_of
from worker.canvases.replay.partial import is_freehand
from worker.canvases.shapes import Circle, Lines, Points, Shape


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


def box_of(shape: Shape) -> DirtyRect:
    """The box around all ink of the shape."""
    if isinstance(shape, Lines):
        drawn = [contour for contour in shape.contours if len(contour)]
        return _around(np.concatenate(drawn), shape.width) if drawn else DirtyRect(0, 0, 0, 0)
    if isinstance(shape, Circle):
        reach = shape.radius + shape.width / 2
        return DirtyRect(shape.x - reach, shape.y - reach, shape.x + reach, shape.y + reach)
    return DirtyRect(*ink_of(shape))


def box_between(shape: Shape, before: float, after: float) -> DirtyRect:
    """The box around what changes when the drawn fraction of the shape grows from `before` to `after`."""
    if before <= 0 or not isinstance(shape, Lines) or not is_freehand(shape):
        return box_of(shape)
    contour = shape.contours[0]
    steps = len(contour) - 1
    return _around(contour[math.floor(before * steps) : math.ceil(after * steps) + 1], shape.width)


def _around(points: Points, width: float) -> DirtyRect:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    reach = width / 2
    return DirtyRect(float(left) - reach, float(top) - reach, float(right) + reach, float(bottom) + reach)
