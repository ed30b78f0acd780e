"""The points of a stroke, whatever was stored as such."""

import math
from itertools import islice

import numpy as np

from worker.canvases.limits import FARTHEST, MOST_POINTS_OF_STROKE
from worker.canvases.shapes import Points


def points_of(value: object) -> tuple[Points, list[str]]:
    """The points of a list of `[x, y]`, and what had to be done to it in words.

    What is no point is left out, what lies absurdly far away is brought to the edge of what is drawn, and only the
    first MOST_POINTS_OF_STROKE are taken.
    """
    if not isinstance(value, list | tuple):
        return np.empty((0, 2)), [] if value is None else ["points is not a list"]
    items = value if len(value) <= MOST_POINTS_OF_STROKE else list(islice(value, MOST_POINTS_OF_STROKE))
    remarks = [] if items is value else [f"only its first {MOST_POINTS_OF_STROKE} points are drawn"]
    points = _at_once(items)
    if points is not None and _are_near(points):  # nearly always
        return points, remarks
    if points is None or not np.isfinite(points).all():
        good = [pair for pair in map(_pair, items) if pair is not None]
        if len(good) < len(items):
            remarks.append(f"{len(items) - len(good)} of its points are no points")
        points = np.array(good, dtype=np.float64).reshape(-1, 2)
    near = np.clip(points, -FARTHEST, FARTHEST)
    if not np.array_equal(near, points):
        remarks.append("points too far away are brought nearer")
    return near, remarks


def number_of(value: object) -> float | None:
    """A finite number within what is drawn; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    if not math.isfinite(number):
        return None
    return min(FARTHEST, max(-FARTHEST, number))


def _at_once(value: list[object] | tuple[object, ...]) -> Points | None:
    """All points in one go; None when there is anything but pairs of numbers among them."""
    try:
        # Not as whatever is in it: a single long text would make every number as long as that.
        points = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return points if points.ndim == 2 and points.shape[1] == 2 else None


def _are_near(points: Points) -> bool:
    """Whether all are certainly within what is drawn; numbers that are not finite never are.

    One sum of squares takes a quarter of the time to look at each. Very many points may be too much for it, though all
    are near.
    """
    return bool(np.vdot(points, points) <= FARTHEST**2)


def _pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) < 2:
        return None
    x, y = number_of(value[0]), number_of(value[1])
    return None if x is None or y is None else (x, y)
