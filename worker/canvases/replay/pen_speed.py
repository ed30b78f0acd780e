"""Estimates how long it takes to draw a shape, for strokes without recorded times."""

import numpy as np

from worker.canvases.shapes import Circle, Lines, Points, Shape

# A writing hand moves 500 to 900 CSS pixels per second; a tutor types seven or eight letters per second.
_PIXELS_PER_MS = 0.7
_MS_PER_LETTER = 130
_SHORTEST_MS, _LONGEST_MS = 150, 6000


def natural_ms(shape: Shape) -> int:
    """The estimated duration in milliseconds, between _SHORTEST_MS and _LONGEST_MS."""
    if isinstance(shape, Lines):
        duration = sum(map(length_of, shape.contours)) / _PIXELS_PER_MS
    elif isinstance(shape, Circle):
        duration = 2 * np.pi * shape.radius / _PIXELS_PER_MS
    else:
        duration = sum(map(len, shape.lines)) * _MS_PER_LETTER
    return round(min(_LONGEST_MS, max(_SHORTEST_MS, duration)))


def length_of(contour: Points) -> float:
    """The length of the line through these points."""
    return float(np.hypot(*np.diff(contour, axis=0).T).sum()) if len(contour) > 1 else 0.0
