"""What can be drawn, as plain values: every stored stroke is converted to one of three shapes.

Lengths are CSS pixels of the board, measured from its upper left corner.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

# Shape (n, 2), finite: x and y of each point in drawing order.
Points = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Colour:
    """An sRGB colour: channels 0 to 255, `alpha` 0 to 1."""

    red: int
    green: int
    blue: int
    alpha: float = 1.0


BLACK = Colour(0, 0, 0)
WHITE = Colour(255, 255, 255)


@dataclass(frozen=True, slots=True, eq=False)
class Lines:
    """Straight segments through each contour's points, drawn with a round pen; an eraser when `colour` is None."""

    contours: tuple[Points, ...]
    width: float
    colour: Colour | None
    closed: bool = False


@dataclass(frozen=True, slots=True)
class Circle:
    """The outline of a circle around (x, y)."""

    x: float
    y: float
    radius: float
    width: float
    colour: Colour


@dataclass(frozen=True, slots=True)
class Text:
    """Lines of text; (x, y) is the start of the first line's alphabetic baseline."""

    lines: tuple[str, ...]
    x: float
    y: float
    size: float
    colour: Colour
    bold: bool = False
    italic: bool = False
    underline: bool = False
    strikethrough: bool = False


Shape = Lines | Circle | Text

# The distance between baselines in font sizes, as in the platform's typing preview.
LINE_HEIGHT = 1.2
