import io
from collections.abc import Callable
from pathlib import Path

import pytest

from worker.media.containers.mp4_boxes import Box, moov_is_in_front, read_box

Make = Callable[[str], Path]


def test_the_index_in_front_is_told_from_the_index_behind(make: Make) -> None:
    assert moov_is_in_front(make("faststart.mp4"))
    assert not moov_is_in_front(make("plain.mp4"))


@pytest.mark.parametrize(
    ("head", "box"),
    [
        (b"\0\0\0\x10free", Box(b"free", 0, 8, 16)),
        (b"\0\0\0\1mdat\0\0\0\0\0\0\0\x20", Box(b"mdat", 0, 16, 32)),
        (b"\0\0\0\0mdat", Box(b"mdat", 0, 8, 24)),
        (b"\0\0\1\0free", Box(b"free", 0, 8, 256)),
        (b"\0\0\0\0free", None),
        (b"\0\0\0\x07free", None),
        (b"\0\0\0\x10\0\1\2\3", None),
    ],
    ids=["plain", "64-bit length", "to the end", "cut off", "no length", "too short", "no type"],
)
def test_a_box_is_read(head: bytes, box: Box | None) -> None:
    assert read_box(io.BytesIO(head.ljust(24, b"\0")), 0, 24) == box
