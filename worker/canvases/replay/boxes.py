"""Rectangles around ink: what must be drawn anew when a figure changes."""

import math
from dataclasses import dataclass

import numpy as np

from worker.canvases.figures import Circle, Figure, Lines, Points
from worker.canvases.lettering.bounds import ink_of
from worker.canvases.replay.partial import is_freehand


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle of a page, in CSS pixels."""

    left: float
    top: float
    right: float
    bottom: float

    def joined(self, other: "Box") -> "Box":
        """The smallest box around both."""
        return Box(
            min(self.left, other.left),
            min(self.top, other.top),
            max(self.right, other.right),
            max(self.bottom, other.bottom),
        )


def box_of(figure: Figure) -> Box:
    """Around all of its ink."""
    if isinstance(figure, Lines):
        drawn = [contour for contour in figure.contours if len(contour)]
        return _around(np.concatenate(drawn), figure.width) if drawn else Box(0, 0, 0, 0)
    if isinstance(figure, Circle):
        reach = figure.radius + figure.width / 2
        return Box(figure.x - reach, figure.y - reach, figure.x + reach, figure.y + reach)
    return Box(*ink_of(figure))


def box_between(figure: Figure, before: float, after: float) -> Box:
    """Around what changes when the figure grows from one fraction of it to another."""
    if before <= 0 or not isinstance(figure, Lines) or not is_freehand(figure):
        return box_of(figure)
    contour = figure.contours[0]
    steps = len(contour) - 1
    return _around(contour[math.floor(before * steps) : math.ceil(after * steps) + 1], figure.width)


def _around(points: Points, width: float) -> Box:
    (left, top), (right, bottom) = points.min(axis=0), points.max(axis=0)
    reach = width / 2
    return Box(float(left) - reach, float(top) - reach, float(right) + reach, float(bottom) + reach)
