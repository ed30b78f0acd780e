"""A PNG file, written band by band (PNG specification, third edition).

The engine's own encoder tries every filter on every row and takes three times as long to make a larger file: ink on
paper compresses best unfiltered. Deflate is zlib's.
"""

import struct
import zlib
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Bits per channel, true colour without alpha, the three methods there are.
_TRUE_COLOUR = (8, 2, 0, 0, 0)
_NONE, _UP = 0, 2
# Of zlib's levels the last that is fast: level 6 takes twice as long for a tenth less.
_LEVEL = 2


class PngWriter:
    """Takes the rows of one picture in turn; `finish` must be called when all are there.

    `photo` says that the picture has photographs in it, whose rows compress better as differences.
    """

    def __init__(self, out: BinaryIO, width: int, height: int, *, photo: bool = False) -> None:
        self._out = out
        self._deflate = zlib.compressobj(_LEVEL)
        self._above = np.zeros((1, width * 3), np.uint8) if photo else None
        out.write(_SIGNATURE)
        self._chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, *_TRUE_COLOUR))

    def write(self, rows: NDArray[np.uint8]) -> None:
        """Append rows: shape (n, width, 4), channels blue, green, red and an alpha that is left out."""
        height, width = rows.shape[:2]
        filtered = np.empty((height, 1 + width * 3), np.uint8)
        filtered[:, 0] = _NONE if self._above is None else _UP
        pixels = filtered[:, 1:]
        # Channel by channel: numpy takes five times as long to copy three bytes out of every four.
        by_channel = pixels.reshape(height, width, 3)
        for channel in range(3):
            by_channel[:, :, channel] = rows[:, :, 2 - channel]
        if self._above is not None:
            above = np.concatenate((self._above, pixels[:-1]))
            self._above = pixels[-1:].copy()
            np.subtract(pixels, above, out=pixels)
        compressed = self._deflate.compress(filtered.data)
        if compressed:
            self._chunk(b"IDAT", compressed)

    def finish(self) -> None:
        """Write what is left and the end of the file."""
        self._chunk(b"IDAT", self._deflate.flush())
        self._chunk(b"IEND", b"")

    def _chunk(self, name: bytes, body: bytes) -> None:
        checked = zlib.crc32(body, zlib.crc32(name))
        self._out.write(struct.pack(">I", len(body)) + name)
        self._out.write(body)
        self._out.write(struct.pack(">I", checked))
