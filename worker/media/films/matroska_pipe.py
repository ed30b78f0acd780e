"""Stream pictures with timestamps as Matroska (RFC 9559), which ffmpeg reads from a pipe: no file is written.

A picture stands until the next one, so a board that nobody draws on costs nothing. ffmpeg's raw video has no timestamps
of its own.
"""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

# Planes Y, U, V of a picture one after another, 8 bits, colours halved in both directions (FourCC I420).
Planes = NDArray[np.uint8]

_BT709 = 1
_LIMITED = 1
_UNKNOWN_SIZE = b"\x01" + b"\xff" * 7


def stream(
    frames: Iterable[tuple[int, Planes]], width: int, height: int, frame_ms: int
) -> Iterator[bytes | memoryview]:
    """The stream of these pictures, each with its time in milliseconds. Colours are BT.709 in the limited range.

    The next picture is fetched only after the stream's last piece was consumed, so its memory may be reused.
    """
    yield _head(width, height, frame_ms)
    for at, planes in frames:
        yield _cluster(at, planes.nbytes)
        yield planes.data


def _head(width: int, height: int, frame_ms: int) -> bytes:
    colour = _element(
        0x55B0, _number(0x55B1, _BT709), _number(0x55B9, _LIMITED), _number(0x55BA, _BT709), _number(0x55BB, _BT709)
    )
    picture = _element(0xE0, _number(0xB0, width), _number(0xBA, height), _element(0x2EB524, b"I420"), colour)
    track = _element(
        0xAE,
        _number(0xD7, 1),
        _number(0x73C5, 1),
        _number(0x83, 1),
        _element(0x86, b"V_UNCOMPRESSED"),
        # Nanoseconds for which the very last picture is shown.
        _number(0x23E383, frame_ms * 1_000_000),
        picture,
    )
    header = _element(0x1A45DFA3, _element(0x4282, b"matroska"), _number(0x4287, 4), _number(0x4285, 2))
    info = _element(0x1549A966, _number(0x2AD7B1, 1_000_000))
    return header + _id(0x18538067) + _UNKNOWN_SIZE + info + _element(0x1654AE6B, track)


def _cluster(at: int, length: int) -> bytes:
    """A Cluster of one picture, up to its bytes. One each, because a block's relative time has only 16 bits."""
    block = _id(0xA3) + _size(4 + length) + b"\x81\x00\x00\x80"
    time = _number(0xE7, at)
    return _id(0x1F43B675) + _size(len(time) + len(block) + length) + time + block


def _element(identity: int, *content: bytes) -> bytes:
    data = b"".join(content)
    return _id(identity) + _size(len(data)) + data


def _number(identity: int, value: int) -> bytes:
    return _element(identity, value.to_bytes(8, "big"))


def _id(identity: int) -> bytes:
    return identity.to_bytes((identity.bit_length() + 7) // 8, "big")


def _size(length: int) -> bytes:
    return (1 << 56 | length).to_bytes(8, "big")
