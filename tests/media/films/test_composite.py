"""Films composed of recordings as they really are: resized midway, transparent, with pixels that are not square."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.waiting import TIMEOUT
from worker.media.films.composite import Overlay, write_composite
from worker.media.films.mix import Sound, SoundPiece
from worker.media.processes.binaries import Binaries

Compose = Callable[..., Path]
Read = Callable[..., NDArray[np.uint8]]


@pytest.fixture
def compose(binaries: Binaries, make: Callable[[str], Path], tmp_path: Path) -> Compose:
    """`compose("a.webm", seconds)`: a film that shows it from its first second on, and sounds like `beeps.webm`."""

    def write(name: str, seconds: int) -> Path:
        target = tmp_path / "film.mp4"
        whole = [SoundPiece(1000, 0, seconds * 1000)]
        write_composite(
            target,
            binaries,
            duration_ms=1000 + seconds * 1000,
            board=None,
            pictures=[Overlay(make(name), whole)],
            sounds=[Sound(make("beeps.webm"), whole)],
        )
        return target

    return write


@pytest.fixture
def read(binaries: Binaries) -> Read:
    """What ffmpeg makes of a file with these words, as bytes."""

    def run(path: Path, *words: str) -> NDArray[np.uint8]:
        command: list[str | Path] = [binaries.ffmpeg, "-v", "error", "-nostdin", "-i", path, *words, "pipe:1"]
        return np.frombuffer(subprocess.run(command, check=True, capture_output=True, timeout=TIMEOUT).stdout, np.uint8)

    return run


@pytest.fixture
def brightness(read: Read) -> Callable[[Path, float], NDArray[np.int64]]:
    """The brightness of the frame at this second, on 64 x 36 points."""

    def look(film: Path, at: float) -> NDArray[np.int64]:
        words = ["-ss", str(at), "-frames:v", "1", "-vf", "scale=64:36", "-pix_fmt", "gray", "-f", "rawvideo"]
        return read(film, *words).reshape(36, 64).astype(int)

    return look


def test_a_window_that_is_resized_keeps_its_shape_and_the_sound_its_place(
    compose: Compose, read: Read, brightness: Callable[[Path, float], NDArray[np.int64]]
) -> None:
    film = compose("resized.webm", 4)
    samples = np.abs(read(film, "-f", "s16le", "-ac", "1", "-ar", "8000").view(np.int16).astype(int))
    loud = samples[: len(samples) // 80 * 80].reshape(-1, 80).max(axis=1) > 3000
    begins = np.flatnonzero(loud[1:] & ~loud[:-1]) / 100
    assert list(begins) == pytest.approx([1.5, 4.0], abs=0.1)
    wide, tall = brightness(film, 2), brightness(film, 4)
    assert wide[18].min() > 200
    assert tall[18, 32] == pytest.approx(tall[1, 32], abs=20) == pytest.approx(126, abs=20)
    assert max(tall[18, 5], tall[18, 58]) < 80


def test_a_picture_may_have_hundreds_of_pieces(
    binaries: Binaries,
    make: Callable[[str], Path],
    brightness: Callable[[Path, float], NDArray[np.int64]],
    tmp_path: Path,
) -> None:
    film = tmp_path / "film.mp4"
    pieces = [SoundPiece(at, at, 10) for at in range(0, 2000, 10)]
    pictures = [Overlay(make("wide.webm"), pieces)]
    write_composite(film, binaries, duration_ms=3000, board=None, pictures=pictures, sounds=[])
    assert brightness(film, 1.5).min() > 200
    assert brightness(film, 2.5).max() < 80


def test_a_lesson_may_have_dozens_of_recordings(
    binaries: Binaries,
    make: Callable[[str], Path],
    brightness: Callable[[Path, float], NDArray[np.int64]],
    tmp_path: Path,
) -> None:
    film, piece = tmp_path / "film.mp4", [SoundPiece(0, 0, 1000)]
    links = [(tmp_path / f"wide-{number}", tmp_path / f"beeps-{number}") for number in range(20)]
    for picture, sound in links:
        picture.symlink_to(make("wide.webm"))
        sound.symlink_to(make("beeps.webm"))
    pictures = [Overlay(picture, piece, corner=number % 3) for number, (picture, _) in enumerate(links)]
    sounds = [Sound(sound, piece) for _, sound in links]
    write_composite(film, binaries, duration_ms=1000, board=None, pictures=pictures, sounds=sounds)
    assert brightness(film, 0.5)[31, 55] > 200


def test_a_transparent_board_is_shown_on_paper(
    compose: Compose, brightness: Callable[[Path, float], NDArray[np.int64]]
) -> None:
    frame = brightness(compose("alpha.webm", 1), 1.5)
    assert frame[30, 32] > 230
    assert frame[10, 24] < 80


def test_pixels_that_are_not_square_are_shown_in_their_shape(
    compose: Compose, brightness: Callable[[Path, float], NDArray[np.int64]]
) -> None:
    assert brightness(compose("anamorphic.webm", 1), 1.5)[18].min() > 200
