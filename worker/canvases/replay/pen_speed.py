"""How long a hand takes for a figure when nobody noted it."""

import numpy as np

from worker.canvases.shapes import Circle, Figure, Lines, Points

# A hand that writes moves 500 to 900 CSS pixels a second; a tutor types seven or eight letters.
_PIXELS_PER_MS = 0.7
_MS_PER_LETTER = 130
_SHORTEST_MS, _LONGEST_MS = 150, 6000


def natural_ms(figure: Figure) -> int:
    """Milliseconds, never less than a glance nor more than six seconds."""
    if isinstance(figure, Lines):
        duration = sum(map(length_of, figure.contours)) / _PIXELS_PER_MS
    elif isinstance(figure, Circle):
        duration = 2 * np.pi * figure.radius / _PIXELS_PER_MS
    else:
        duration = sum(map(len, figure.lines)) * _MS_PER_LETTER
    return round(min(_LONGEST_MS, max(_SHORTEST_MS, duration)))


def length_of(contour: Points) -> float:
    """The way along these points."""
    return float(np.hypot(*np.diff(contour, axis=0).T).sum()) if len(contour) > 1 else 0.0
