"""The preview of a film."""

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from worker.media.decoding.sampling import film_of
from worker.media.pictures.preview import picture_count, write_preview
from worker.media.probing.header import read_header
from worker.media.processes.binaries import Binaries


def test_a_window_that_was_resized_has_a_preview(
    make: Callable[[str], Path], binaries: Binaries, tmp_path: Path
) -> None:
    path, target = make("resized.webm"), tmp_path / "preview.webp"
    film = film_of(path, read_header(path, binaries), (320, 180), 4000)
    assert film is not None
    write_preview(film, target, binaries)
    # Pictures that do not differ are one.
    assert picture_count(target) == 2
    last = Image.open(target)
    last.seek(1)
    pixels = last.convert("L")
    # In its own shape: beside it, the picture is black.
    assert pixels.getpixel((160, 90)) == pytest.approx(126, abs=20)
    assert pixels.getpixel((40, 90)) == pytest.approx(0, abs=20)
