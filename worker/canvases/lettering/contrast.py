"""How dark the edges of letters are: browsers thicken dark letters and thin light ones, and so must we.

The engine does that for letters drawn as masks, with figures fixed when it was built: skia-python's show black letters
a third too pale at their edges, white ones too bold. A mask filter turns that off and puts the browser's table in its
place. The figures are Chromium's for everything but Windows (SK_GAMMA_CONTRAST, SK_GAMMA_EXPONENT in its
skia/config/SkUserConfig.h), the formula is Skia's (SkMaskGamma.cpp).
"""

import math
from functools import cache
from typing import Any

import numpy as np

from worker.canvases.engine import skia
from worker.canvases.shapes import Colour

_CONTRAST = 0.2
_GAMMA = 1.2
# Rec. 709, as the engine weighs channels.
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
# Larger letters are drawn as outlines, whose edges nobody corrects. Pixels.
LARGEST_MASK = 256


def text_contrast(colour: Colour) -> Any:
    """The mask filter for letters of this colour."""
    return _filter(_luminance(colour) >> 5)


@cache
def _filter(level: int) -> Any:
    """One of eight, from black (0) to white (7)."""
    return skia.TableMaskFilter.Create(correction(level))


def correction(level: int) -> list[int]:
    """For each coverage 0 to 255 the one that looks right, for letters of a luminance of `level` eighths."""
    # Three bits repeated until they are eight.
    ink = (level << 5 | level << 2 | level >> 1) / 255
    # What lies behind is guessed: the opposite. No level of eight is its own opposite, so nothing is divided by zero.
    paper = 1 - ink
    coverage = np.arange(256) / 255
    contrast = _CONTRAST * paper**_GAMMA
    coverage = coverage + (1 - coverage) * contrast * coverage
    mixed = (coverage * ink**_GAMMA + (1 - coverage) * paper**_GAMMA) ** (1 / _GAMMA)
    corrected = (mixed - paper) / (ink - paper)
    return [int(value) for value in np.floor(255 * corrected + 0.5)]


def _luminance(colour: Colour) -> int:
    """0 to 255, as the engine judges a colour's lightness."""
    red, green, blue = (math.pow(channel / 255, _GAMMA) for channel in (colour.red, colour.green, colour.blue))
    return round(255 * math.pow(_RED * red + _GREEN * green + _BLUE * blue, 1 / _GAMMA))
