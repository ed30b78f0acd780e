"""The PNG writer's files contain the pixels that were written, in any number of bands."""

import struct
import zlib
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray

from worker.canvases.drawing.png import PngWriter


def _read(file: bytes) -> NDArray[np.uint8]:
    """The pixels of a PNG of ours, by the rules of filters 0 and 2 (PNG specification §9)."""
    assert file[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, names = 8, b"", []
    while at < len(file):
        (size,) = struct.unpack_from(">I", file, at)
        name, body = file[at + 4 : at + 8], file[at + 8 : at + 8 + size]
        (check,) = struct.unpack_from(">I", file, at + 8 + size)
        assert check == zlib.crc32(name + body)
        names.append(name)
        data += body if name == b"IDAT" else b""
        if name == b"IHDR":
            width, height, *kind = struct.unpack(">IIBBBBB", body)
            assert kind == [8, 2, 0, 0, 0]
        at += 12 + size
    assert (names[0], names[-1]) == (b"IHDR", b"IEND")
    rows = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + width * 3)
    pixels = rows[:, 1:].copy()
    for number in range(height):
        assert rows[number, 0] in {0, 2}
        if rows[number, 0] == 2 and number:
            pixels[number] += pixels[number - 1]
    return pixels.reshape(height, width, 3)


@pytest.mark.parametrize("photo", [False, True])
@pytest.mark.parametrize("pieces", [[7], [1, 6], [3, 3, 1]])
def test_the_pixels_come_back(photo: bool, pieces: list[int]) -> None:
    pixels = np.random.default_rng(6).integers(0, 256, (7, 5, 4), np.uint8)
    out = BytesIO()
    writer = PngWriter(out, 5, 7, photo=photo)
    top = 0
    for rows in pieces:
        writer.write(pixels[top : top + rows])
        top += rows
    writer.finish()
    assert (_read(out.getvalue()) == pixels[:, :, 2::-1]).all()
