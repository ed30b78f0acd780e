"""Contrast of the edges of letters: like browsers, thickens dark letters and thins light ones.

The engine does this for letters drawn as masks, with constants fixed at its compilation: those of skia-python make the
edges of black letters a third too pale, and white letters too bold. A mask filter replaces them by the browser's table.
The constants are Chromium's for all platforms but Windows (SK_GAMMA_CONTRAST, SK_GAMMA_EXPONENT in its
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
# Weights of the channels: Rec. 709, as in the engine.
_RED, _GREEN, _BLUE = 0.2126, 0.7152, 0.0722
# Larger letters are drawn as outlines, whose edges are not corrected. Pixels.
LARGEST_MASK = 256


def text_contrast(colour: Colour) -> Any:
    """The mask filter for letters of this colour."""
    return _filter(_luminance(colour) >> 5)


@cache
def _filter(level: int) -> Any:
    """The filter of a luminance level, from black (0) to white (7)."""
    return skia.TableMaskFilter.Create(correction(level))


def correction(level: int) -> list[int]:
    """The corrected coverage for each coverage 0 to 255, for letters of a luminance of `level` eighths."""
    # Three bits, repeated to fill eight.
    ink = (level << 5 | level << 2 | level >> 1) / 255
    # The background is assumed to be the opposite. No level equals its opposite, so there is no division by zero.
    paper = 1 - ink
    coverage = np.arange(256) / 255
    contrast = _CONTRAST * paper**_GAMMA
    coverage = coverage + (1 - coverage) * contrast * coverage
    mixed = (coverage * ink**_GAMMA + (1 - coverage) * paper**_GAMMA) ** (1 / _GAMMA)
    corrected = (mixed - paper) / (ink - paper)
    return [int(value) for value in np.floor(255 * corrected + 0.5)]


def _luminance(colour: Colour) -> int:
    """The luminance of a colour, 0 to 255, as the engine computes it."""
    red, green, blue = (math.pow(channel / 255, _GAMMA) for channel in (colour.red, colour.green, colour.blue))
    return round(255 * math.pow(_RED * red + _GREEN * green + _BLUE * blue, 1 / _GAMMA))
