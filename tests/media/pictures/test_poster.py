from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import TIMEOUT
from worker.media.copying.fast_copy import Copy
from worker.media.decoding.contrast import Contrast
from worker.media.decoding.frame_capture import jpeg_size
from worker.media.errors import Stopped
from worker.media.pictures.poster import Poster, moments, write_poster
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries

Make = Callable[[str], Path]
Probed = Callable[[Path], Probe]
Pixels = Callable[..., bytes]
Play = Callable[[Path, Path], Copy]
PosterOf = Callable[[str], Poster | None]


@pytest.fixture
def poster_of(make: Make, probed: Probed, play: Play, binaries: Binaries, tmp_path: Path) -> PosterOf:
    """The poster of the fast copy of a recording."""

    def write(name: str) -> Poster | None:
        play(make(name), tmp_path / "playback")
        return write_poster(tmp_path / "playback", tmp_path / "poster.jpg", probed(make(name)), binaries)

    return write


@pytest.mark.parametrize(
    ("name", "size"),
    [
        ("chrome-vp9.webm", (1280, 720)),
        ("chrome-h264.webm", (1280, 720)),
        ("chrome-pause.webm", (1280, 720)),
        ("vp8.webm", (320, 180)),
        ("vp8-odd.webm", (320, 180)),
        ("av1.webm", (64, 64)),
        ("one-frame.webm", (320, 180)),
        ("plain.mp4", (320, 180)),
        ("rotated.mp4", (180, 320)),
        ("hevc.mp4", (320, 180)),
    ],
)
def test_a_poster_is_a_picture_of_the_recording(
    name: str, size: tuple[int, int], poster_of: PosterOf, pixels: Pixels, look: Callable[[Path], dict[str, Any]]
) -> None:
    poster = poster_of(name)
    assert poster is not None
    (stream,) = look(poster.path)["streams"]
    assert (stream["codec_name"], stream["width"], stream["height"]) == ("mjpeg", *size)
    assert (poster.width, poster.height) == jpeg_size(poster.path) == size
    assert not poster.blank
    assert len(set(pixels(poster.path, 32, 18))) > 3
    data = poster.path.read_bytes()
    assert (data[:2], data[-2:]) == (b"\xff\xd8", b"\xff\xd9")
    assert b"Lavc" not in data
    assert sorted(path.name for path in poster.path.parent.iterdir()) == ["playback", "poster.jpg"]


def test_a_large_picture_is_made_smaller(make: Make, probed: Probed, binaries: Binaries, tmp_path: Path) -> None:
    import subprocess

    source = tmp_path / "wide.webm"
    subprocess.run(
        [binaries.ffmpeg, "-v", "error", "-f", "lavfi", "-i", "testsrc2=s=2562x721:d=0.2", "-c:v", "libvpx",
         "-threads", "1", source],
        check=True, timeout=TIMEOUT,
    )  # fmt: skip
    poster = write_poster(source, tmp_path / "p.jpg", probed(source), binaries)
    assert poster is not None
    assert (poster.width, poster.height) == (1280, 360)


def test_sound_has_no_poster(poster_of: PosterOf, tmp_path: Path) -> None:
    assert poster_of("chrome-audio.webm") is None
    assert not (tmp_path / "poster.jpg").exists()


def test_a_recording_that_is_all_black_still_has_one(poster_of: PosterOf, pixels: Pixels) -> None:
    poster = poster_of("black.webm")
    assert poster is not None
    assert poster.blank
    assert max(pixels(poster.path, 32, 18)) < 30


def test_the_moment_that_shows_most_is_taken(poster_of: PosterOf, pixels: Pixels) -> None:
    """White everywhere but in the middle, between 1.2 and 1.8 of 3 seconds."""
    poster = poster_of("late.webm")
    assert poster is not None
    assert poster.at_ms == pytest.approx(1500, abs=20)
    assert min(pixels(poster.path, 320, 180)) < 80


@pytest.mark.parametrize("name", ["alpha.webm", "alpha-full.webm"])
def test_a_transparent_board_is_drawn_on_paper(name: str, poster_of: PosterOf, pixels: Pixels) -> None:
    """Black ink on nothing: without paper the poster is black all over. White, whatever the range of the colours."""
    poster = poster_of(name)
    assert poster is not None
    grey = pixels(poster.path, 320, 180)
    assert grey[170 * 320 + 300] >= 253
    assert grey[50 * 320 + 140] < 40


def test_the_same_recording_gives_the_same_poster(
    make: Make, probed: Probed, binaries: Binaries, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        write_poster(make("vp8.webm"), tmp_path / name, probed(make("vp8.webm")), binaries)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_a_recording_with_a_broken_middle_has_a_poster(
    make: Make, probed: Probed, binaries: Binaries, tmp_path: Path
) -> None:
    data = bytearray(make("vp8.webm").read_bytes())
    middle = len(data) // 2
    data[middle : middle + 5000] = bytes(5000)
    (tmp_path / "f").write_bytes(data)
    assert write_poster(tmp_path / "f", tmp_path / "p.jpg", probed(tmp_path / "f"), binaries) is not None


def test_the_caller_can_stop(make: Make, probed: Probed, binaries: Binaries, tmp_path: Path) -> None:
    source = make("vp8.webm")
    with pytest.raises(Stopped):
        write_poster(source, tmp_path / "p.jpg", probed(source), binaries, should_stop=lambda: True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("duration_ms", "expected"),
    [(60_000, [15_000, 30_000, 45_000]), (1000, [250, 500]), (600, [100]), (40, [0]), (1, [0])],
)
def test_no_moment_lies_in_the_last_half_second(duration_ms: int, expected: list[int]) -> None:
    assert moments(duration_ms, (0.25, 0.5, 0.75)) == expected


def test_the_key_frame_with_the_most_contrast_is_taken(
    make: Make, probed: Probed, play: Play, binaries: Binaries, tmp_path: Path
) -> None:
    play(make("vp8.webm"), tmp_path / "playback")
    known = [Contrast(0.0, 900.0), Contrast(1.0, 1000.0)]
    poster = write_poster(
        tmp_path / "playback", tmp_path / "p.jpg", probed(make("vp8.webm")), binaries, contrasts=known
    )
    assert poster is not None
    assert poster.at_ms == pytest.approx(1000, abs=10)


@pytest.mark.parametrize("known", [Contrast(1.0, 1.0), Contrast(3600.0, 1000.0)])
def test_contrasts_that_are_of_no_use(
    known: Contrast, make: Make, probed: Probed, play: Play, binaries: Binaries, tmp_path: Path
) -> None:
    """A blank picture, and one that cannot be taken: moments are compared as without them."""
    source = make("vp8.webm")
    play(source, tmp_path / "playback")
    posters = [
        write_poster(tmp_path / "playback", tmp_path / f"{number}.jpg", probed(source), binaries, contrasts=contrasts)
        for number, contrasts in enumerate([[], [known]])
    ]
    assert posters[0] is not None
    assert posters[1] is not None
    assert posters[0].at_ms == posters[1].at_ms
