"""Stills of a film have its colours, although JPEG uses another matrix than films of 720 lines."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.media.conftest import write_drawn
from tests.waiting import TIMEOUT
from worker.media.decoding.sampling import film_of
from worker.media.pictures.poster import write_poster
from worker.media.pictures.storyboard import plan_storyboard, write_storyboard
from worker.media.probing.header import read_header
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries


@pytest.mark.parametrize("stated", ["bt709", "unknown"])
def test_a_still_has_the_colours_of_its_film(
    binaries: Binaries, probed: Callable[[Path], Probe], tmp_path: Path, stated: str
) -> None:
    path, poster, size = tmp_path / "film.mp4", tmp_path / "poster.jpg", (1280, 720)
    green = "color=lime:s=1280x720:r=5:d=2,format=gbrp,scale=out_color_matrix=bt709:out_range=tv,format=yuv420p"
    words = ["-c:v", "libx264", "-preset", "ultrafast", "-qp", "0"]
    write_drawn(binaries, f"{green},setparams=colorspace={stated}:range=tv", words, path)
    film = film_of(path, read_header(path, binaries), size, 2000)
    assert film is not None

    write_poster(path, poster, probed(path), binaries)
    (sheet,) = write_storyboard(film, tmp_path, plan_storyboard(2000, size), binaries)

    for still in (poster, sheet.path):
        words = ["-i", str(still), "-vf", "crop=8:8:40:40,format=rgb24,scale=1:1", "-f", "rawvideo", "-"]
        read = subprocess.run(
            [binaries.ffmpeg, "-v", "error", *words], capture_output=True, check=True, timeout=TIMEOUT
        )
        assert list(read.stdout) == pytest.approx([0, 255, 0], abs=8)
