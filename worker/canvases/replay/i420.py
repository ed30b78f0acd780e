"""Converts RGB to I420: luma, and two chroma planes of half the width and height (BT.709, limited range)."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

# ITU-R BT.709-6 §3 and §5.2 for 8 bits, in units of 2^-16; the weights of each chroma row add up to 0, so that grey
# stays grey.
_Y = (11966, 40254, 4064)
_CB = (-6596, -22188, 28784)
_CR = (28784, -26145, -2639)
_HALF = 1 << 15


class Picture:
    """An image as I420 planes, updated rectangle by rectangle. Width and height are even."""

    def __init__(self, width: int, height: int) -> None:
        # Y, Cb and Cr, consecutively.
        self.planes: Pixels = np.zeros(width * height * 3 // 2, np.uint8)
        whole, quarter = width * height, width * height // 4
        self._y = self.planes[:whole].reshape(height, width)
        self._cb = self.planes[whole : whole + quarter].reshape(height // 2, width // 2)
        self._cr = self.planes[whole + quarter :].reshape(height // 2, width // 2)

    def update(self, pixels: Pixels, left: int, top: int, right: int, bottom: int) -> None:
        """Convert this rectangle of `pixels` (height, width, RGBA); its coordinates are even."""
        red, green, blue = np.moveaxis(pixels[top:bottom, left:right, :3].astype(np.int32), 2, 0)
        self._y[top:bottom, left:right] = (_weigh(_Y, red, green, blue) + _HALF + (16 << 16)) >> 16
        halves = [_sum_of_four(channel) for channel in (red, green, blue)]
        area = slice(top // 2, bottom // 2), slice(left // 2, right // 2)
        self._cb[area] = (_weigh(_CB, *halves) + 4 * (_HALF + (128 << 16))) >> 18
        self._cr[area] = (_weigh(_CR, *halves) + 4 * (_HALF + (128 << 16))) >> 18


def _weigh(weights: tuple[int, int, int], red: Any, green: Any, blue: Any) -> Any:
    return weights[0] * red + weights[1] * green + weights[2] * blue


def _sum_of_four(channel: Any) -> Any:
    rows = channel[0::2] + channel[1::2]
    return rows[:, 0::2] + rows[:, 1::2]
