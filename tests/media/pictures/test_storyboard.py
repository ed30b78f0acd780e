"""Sheets of real films: which moments their tiles show."""

import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.media.conftest import write_drawn
from tests.waiting import TIMEOUT
from worker.media.decoding.sampling import Film, film_of
from worker.media.pictures.storyboard import COLUMNS, plan_storyboard, write_storyboard
from worker.media.probing.header import read_header
from worker.media.processes.binaries import Binaries

MakeFilm = Callable[..., Film]


@pytest.fixture
def film(binaries: Binaries, tmp_path: Path) -> MakeFilm:
    """`film(seconds, words)`: its brightness grows by 2 each second, encoded with these words of ffmpeg."""

    def make(seconds: int, *words: str, size: str = "320x180", name: str = "film.webm") -> Film:
        path = tmp_path / name
        # One colour, computed for a few pixels.
        colour = f"color=black:s=16x16:r=10:d={seconds},geq=lum='16+2*floor(T)':cb=128:cr=128"
        picture = f"{colour},scale={size.replace('x', ':')}:flags=neighbor,setsar=1"
        write_drawn(binaries, picture, words, path)
        width, height = map(int, size.split("x"))
        recorded = film_of(path, read_header(path, binaries), (width, height), seconds * 1000)
        assert recorded is not None
        return recorded

    return make


@pytest.fixture
def brightness(binaries: Binaries) -> Callable[..., NDArray[np.uint8]]:
    """The brightness in the middle of each tile of a sheet, or at another column of it, in rows."""

    def look(sheet: Path, column: int = 80) -> NDArray[np.uint8]:
        words: list[str | Path] = [
            "-v",
            "error",
            "-nostdin",
            "-i",
            sheet,
            "-f",
            "rawvideo",
            "-pix_fmt",
            "gray",
            "pipe:1",
        ]
        raw = subprocess.run([binaries.ffmpeg, *words], check=True, capture_output=True, timeout=TIMEOUT).stdout
        pixels = np.frombuffer(raw, np.uint8).reshape(-1, 160 * COLUMNS)
        return pixels[45::90, column::160].reshape(-1)

    return look


VP8 = ("-c:v", "libvpx", "-threads", "1", "-deadline", "realtime", "-cpu-used", "8", "-g", "20", "-keyint_min", "20")
H264 = ("-c:v", "libx264", "-preset", "ultrafast", "-bf", "2", "-g", "20", "-pix_fmt", "yuv420p")
RARE = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "1000", "-sc_threshold", "0", "-pix_fmt", "yuv420p")


@pytest.mark.parametrize(
    ("words", "name"), [(VP8, "film.webm"), (H264, "film.mp4"), (RARE, "rare.mp4")], ids=["vp8", "h264", "rare-keys"]
)
def test_each_tile_shows_the_moment_of_its_cue(
    film: MakeFilm,
    brightness: Callable[..., NDArray[np.uint8]],
    binaries: Binaries,
    tmp_path: Path,
    words: tuple[str, ...],
    name: str,
) -> None:
    recorded = film(40, *words, name=name)
    plan = plan_storyboard(recorded.duration_ms, (recorded.width, recorded.height))

    (sheet,) = write_storyboard(recorded, tmp_path, plan, binaries)

    assert len(sheet.times_ms) == 20
    assert [abs(at - number * plan.interval_ms) <= 100 for number, at in enumerate(sheet.times_ms)] == [True] * 20
    shown = brightness(sheet.path)[:20].astype(int)
    # JPEG is of full range: 16 becomes 0, 235 becomes 255.
    expected = [round(2 * (at // 1000) * 255 / 219) for at in sheet.times_ms]
    assert shown == pytest.approx(expected, abs=2)


@pytest.mark.parametrize(
    ("seconds", "interval", "rows"), [(1, 2, 1), (30, 2, 2), (1200, 12, 10), (3600, 36, 10), (6 * 3600, 60, 10)]
)
def test_a_storyboard_has_about_a_hundred_tiles(seconds: int, interval: int, rows: int) -> None:
    plan = plan_storyboard(seconds * 1000, (1280, 720))
    assert (plan.interval_ms, plan.rows, plan.width, plan.height) == (interval * 1000, rows, 160, 90)


def test_a_phone_held_upright_has_upright_tiles() -> None:
    plan = plan_storyboard(60_000, (720, 1280))
    assert (plan.width, plan.height) == (90, 160)


def test_a_long_film_has_several_sheets(film: MakeFilm, binaries: Binaries, tmp_path: Path) -> None:
    recorded = film(110, *VP8, size="64x36")
    plan = plan_storyboard(recorded.duration_ms, (64, 36))
    assert plan.tiles_per_sheet == 60
    sheets = write_storyboard(recorded, tmp_path, replace(plan, rows=2), binaries)
    assert [len(sheet.times_ms) for sheet in sheets] == [20, 20, 15]
    times = [at for sheet in sheets for at in sheet.times_ms]
    assert times == sorted(times)
    assert recorded.duration_ms - times[-1] <= 2000


def test_a_sheet_has_the_tiles_from_before_and_after_a_window_was_resized(
    make: Callable[[str], Path], binaries: Binaries, brightness: Callable[..., NDArray[np.uint8]], tmp_path: Path
) -> None:
    path = make("resized.webm")
    resized = film_of(path, read_header(path, binaries), (320, 180), 4000)
    assert resized is not None
    (sheet,) = write_storyboard(resized, tmp_path, plan_storyboard(4000, (320, 180)), binaries)
    assert len(sheet.times_ms) == 2
    assert brightness(sheet.path)[:2].astype(int).tolist() == pytest.approx([255, 128], abs=20)
    # Each in its own shape: beside the tall one it is black.
    assert brightness(sheet.path, 20)[:2].astype(int).tolist() == pytest.approx([255, 0], abs=20)


def test_a_shape_that_is_rounded_fills_its_tile(
    film: MakeFilm, brightness: Callable[..., NDArray[np.uint8]], binaries: Binaries, tmp_path: Path
) -> None:
    # It is 160 x 89 pixels, and tiles have even sides.
    recorded = film(40, *VP8, size="320x178")
    plan = replace(plan_storyboard(recorded.duration_ms, (320, 178)), height=90)
    (sheet,) = write_storyboard(recorded, tmp_path, plan, binaries)
    assert brightness(sheet.path, 0)[10:20].min() > 20
