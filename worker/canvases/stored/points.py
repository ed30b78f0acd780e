"""Parses the stored points of a stroke."""

import math
from itertools import islice

import numpy as np

from worker.canvases.limits import FARTHEST, MAX_POINTS_OF_STROKE
from worker.canvases.shapes import Points


def points_of(value: object) -> tuple[Points, list[str]]:
    """The points of a list of `[x, y]`, and remarks on what was changed.

    Invalid points are left out, coordinates are clamped to FARTHEST, and only the first MAX_POINTS_OF_STROKE points
    are used.
    """
    if not isinstance(value, list | tuple):
        return np.empty((0, 2)), [] if value is None else ["points is not a list"]
    items = value if len(value) <= MAX_POINTS_OF_STROKE else list(islice(value, MAX_POINTS_OF_STROKE))
    remarks = [] if items is value else [f"only its first {MAX_POINTS_OF_STROKE} points are drawn"]
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
    """A finite number, clamped to FARTHEST; None for anything else."""
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
    """All points, converted at once; None when any of them is not a pair of numbers."""
    try:
        # With an explicit type: inferred from a long text, every element would take as much memory as that text.
        points = np.array(value, dtype=np.float64)
    except (TypeError, ValueError, OverflowError):
        return None
    return points if points.ndim == 2 and points.shape[1] == 2 else None


def _are_near(points: Points) -> bool:
    """Whether all points are certainly finite and within FARTHEST.

    One sum of squares takes a quarter of the time of checking each coordinate. The result may be False for very many
    points that are all within FARTHEST.
    """
    return bool(np.vdot(points, points) <= FARTHEST**2)


def _pair(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list | tuple) or len(value) < 2:
        return None
    x, y = number_of(value[0]), number_of(value[1])
    return None if x is None or y is None else (x, y)
