"""Scene changes of real films, and the chapters that they begin."""

from pathlib import Path

import numpy as np
import pytest

from tests.media.conftest import write_drawn
from worker.media.decoding.sampling import film_of
from worker.media.pictures.scenes import SceneChange, chapter_starts, find_scene_changes, scene_changes
from worker.media.probing.header import read_header
from worker.media.processes.binaries import Binaries

MINUTE = 60_000


@pytest.mark.parametrize("keys", [["-g", "10"], ["-g", "1000", "-sc_threshold", "0"]], ids=["many-keys", "one-key"])
def test_the_slides_of_a_film_are_found(binaries: Binaries, tmp_path: Path, keys: list[str]) -> None:
    """Three pictures, and a flash of half a second in the second one."""
    path = tmp_path / "slides.mp4"
    picture = (
        "color=white:s=320x180:r=10:d=30,drawbox=20:20:120:100:black:fill:enable='between(t,10,19.95)',"
        "drawbox=160:60:140:100:gray:fill:enable='gte(t,20)',drawbox=color=black:t=fill:enable='between(t,15.1,15.6)'"
    )
    words = ["-c:v", "libx264", "-preset", "ultrafast", *keys, "-pix_fmt", "yuv420p"]
    write_drawn(binaries, picture, words, path)
    film = film_of(path, read_header(path, binaries), (320, 180), 30_000)
    assert film is not None

    changes = find_scene_changes(film, tmp_path, binaries)

    assert [change.at for change in changes] == [pytest.approx(10_000, abs=1000), pytest.approx(20_000, abs=1000)]


def test_a_moving_camera_has_no_scenes() -> None:
    noise = np.random.default_rng(7).integers(0, 255, (100, 64 * 36), np.uint8)
    assert scene_changes(range(0, 100_000, 1000), noise) == []
    assert scene_changes([0, 1000], noise[:2]) == []


def test_a_chapter_begins_in_the_silence_beside_its_scene() -> None:
    changes = [SceneChange(62_000, 20), SceneChange(125_000, 30), SceneChange(200_000, 25)]
    silences = [(59_000, 61_000), (124_000, 126_000), (180_000, 190_000)]
    # The last change is in the middle of speech.
    assert chapter_starts(changes, silences, 5 * MINUTE) == [0, 61_000, 125_000]
    assert chapter_starts(changes, None, 5 * MINUTE) == [0, 62_000, 125_000, 200_000]


def test_no_chapter_is_shorter_than_half_a_minute_and_the_strongest_change_wins() -> None:
    changes = [SceneChange(at, change) for at, change in ((20_000, 99), (60_000, 10), (75_000, 50), (280_000, 99))]
    assert chapter_starts(changes, None, 5 * MINUTE) == [0, 75_000]


def test_nothing_is_invented() -> None:
    assert chapter_starts([], None, 60 * MINUTE) == []
    assert chapter_starts([SceneChange(31_000, 50)], None, 59_000) == []
    assert chapter_starts([SceneChange(31_000, 50)], [], 5 * MINUTE) == []
