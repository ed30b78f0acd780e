"""Sizes and rates of renditions, as tables."""

import pytest

from worker.media.renditions.fit_picture import fitted_size, frame_rate, is_taller
from worker.media.renditions.rendition_forms import PICTURES


@pytest.mark.parametrize(
    ("name", "shown", "size"),
    [
        ("360p", (1920, 1080), (640, 360)),
        ("360p", (1080, 1920), (360, 640)),
        ("360p", (640, 480), (480, 360)),
        ("360p", (321, 181), (320, 180)),
        ("720p", (1920, 1080), (1280, 720)),
        ("board", (3000, 300), (1280, 128)),
        ("board", (5, 1), (4, 2)),
    ],
)
def test_a_picture_fits_into_its_box(name: str, shown: tuple[int, int], size: tuple[int, int]) -> None:
    assert fitted_size(PICTURES[name], shown) == size


@pytest.mark.parametrize(
    ("name", "recorded", "rate"),
    [
        ("360p", 29.97, 15),
        ("360p", 9.8, 10),
        ("720p", 24.4, 24),
        ("720p", 60.0, 30),
        ("720p", 0.2, 5),
        ("board", 30, 5),
    ],
)
def test_a_rate_is_a_usual_one(name: str, recorded: float, rate: int) -> None:
    assert frame_rate(PICTURES[name], recorded) == rate


def test_the_shorter_side_counts() -> None:
    assert is_taller((1280, 720), 480)
    assert not is_taller((360, 640), 480)
