"""Recordings as browsers really make them, whole and broken: all of their pictures and sound play at their times."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.waiting import TIMEOUT
from worker.media.containers.kinds import detect_demuxer
from worker.media.copying.fast_copy import Copy
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries

Make = Callable[[str], Path]
Play = Callable[[Path, Path], Copy]
Probed = Callable[[Path], Probe]

# Longest distance that a viewer does not notice between a picture and its sound.
LIP_SYNC_MS = 80


@pytest.fixture(scope="session")
def shown(binaries: Binaries) -> Callable[[Path, str], list[float]]:
    """The times in milliseconds at which the packets of one track (`v:0`, `a:0`) are shown, by a plain ffprobe."""

    def times(path: Path, track: str) -> list[float]:
        words = ["-select_streams", track, "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"]
        command: list[str | Path] = [binaries.ffprobe, "-v", "error", *words, path]
        lines = subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT).stdout.splitlines()
        rows = [line.split(",") for line in lines if line]
        return sorted(1000 * float(row[0]) for row in rows if "D" not in row[1])

    return times


@pytest.mark.parametrize(
    "name", ["recordings/talk_h264.webm", "recordings/h264_few.webm", "h264.webm", "vp9.webm", "pause.webm"]
)
def test_every_picture_keeps_its_distance_to_the_sound(
    name: str, make: Make, play: Play, shown: Callable[[Path, str], list[float]], tmp_path: Path
) -> None:
    source, copy = make(f"chrome-{name}"), tmp_path / "copy"
    play(source, copy)

    before, after = shown(source, "v:0"), shown(copy, "v:0")
    shift = shown(copy, "a:0")[0] - shown(source, "a:0")[0]
    assert len(after) == len(before)
    assert max(abs(there - here - shift) for here, there in zip(before, after, strict=True)) < LIP_SYNC_MS


@pytest.mark.parametrize("name", ["bframes-opus.mkv", "bframes-aac.mkv"])
def test_reordered_pictures_keep_their_distance_too(
    name: str, make: Make, play: Play, shown: Callable[[Path, str], list[float]], tmp_path: Path
) -> None:
    play(make(name), tmp_path / "copy")

    before, after = shown(make(name), "v:0"), shown(tmp_path / "copy", "v:0")
    shift = shown(tmp_path / "copy", "a:0")[0] - shown(make(name), "a:0")[0]
    assert len(after) == len(before)
    assert max(abs(there - here - shift) for here, there in zip(before, after, strict=True)) < LIP_SYNC_MS


def test_a_single_picture_is_a_recording(make: Make, play: Play, tmp_path: Path) -> None:
    """A still board without a microphone: Chrome writes one picture, and WebM states no length of it."""
    copy = play(make("chrome-recordings/one_frame_cap_vp9.webm"), tmp_path / "copy")
    assert copy.video is not None
    assert copy.video.frames == 1


@pytest.mark.parametrize(
    ("name", "codec", "duration_ms"),
    [
        ("chrome-recordings/ff_audio_default.ogg", "opus", 6009),
        ("opus.ogg", "opus", 2006),
        ("vorbis.ogg", "vorbis", 2003),
    ],
)
def test_ogg_is_taken(
    name: str, codec: str, duration_ms: int, make: Make, play: Play, probed: Probed, decode: Callable[..., str],
    tmp_path: Path,
) -> None:  # fmt: skip
    """What Firefox writes for `new MediaRecorder(stream)` when there is sound alone."""
    media = probed(make(name))
    copy = play(make(name), tmp_path / "copy")

    assert (media.container, media.truncated, media.repairs) == ("ogg", False, ())
    assert copy.audio is not None
    assert copy.audio.codec == codec
    assert copy.duration_ms == pytest.approx(duration_ms, abs=30)
    assert detect_demuxer(tmp_path / "copy") == "matroska"
    assert decode(tmp_path / "copy") == ""


def test_an_ogg_that_was_cut_off_plays_as_far_as_it_goes(
    make: Make, play: Play, probed: Probed, tmp_path: Path
) -> None:
    (tmp_path / "f").write_bytes(make("chrome-recordings/ff_audio_default.ogg").read_bytes()[:60_000])
    media = probed(tmp_path / "f")
    assert media.truncated
    assert [repair.kind for repair in media.repairs] == ["cut-off"]
    assert 2000 < play(tmp_path / "f", tmp_path / "copy").duration_ms < 6000


@pytest.mark.parametrize("remaining_bytes", [0, 3, 27, 30, 100])
def test_the_end_of_the_last_page_is_looked_at(
    remaining_bytes: int, make: Make, probed: Probed, tmp_path: Path
) -> None:
    """Pages of Firefox are 4 KB; the last one begins at 97325."""
    (tmp_path / "f").write_bytes(
        make("chrome-recordings/ff_audio_default.ogg").read_bytes()[: 97_325 + remaining_bytes]
    )
    (part,) = [probed_part.part for probed_part in probed(tmp_path / "f").parts]
    assert part.cut_off is (remaining_bytes > 0)


def test_two_oggs_in_one_file_play_one_after_the_other(make: Make, play: Play, probed: Probed, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(make("opus.ogg").read_bytes() * 2)
    assert len(probed(tmp_path / "f").parts) == 2
    assert play(tmp_path / "f", tmp_path / "copy").duration_ms == pytest.approx(4012, abs=20)


def test_a_still_board_without_sound_has_no_gaps(make: Make, play: Play, probed: Probed, tmp_path: Path) -> None:
    media = probed(make("still.webm"))
    assert (media.gaps, media.truncated, media.repairs) == ((), False, ())
    assert play(make("still.webm"), tmp_path / "copy").duration_ms == pytest.approx(20_000, abs=100)


def test_a_clock_that_begins_late_is_no_end_that_is_missing(
    make: Make, play: Play, probed: Probed, tmp_path: Path
) -> None:
    """The recorder's clock was at 25 hours when it began."""
    media = probed(make("late-clock.webm"))
    assert (media.truncated, media.repairs) == (False, ())
    assert play(make("late-clock.webm"), tmp_path / "copy").duration_ms == pytest.approx(2000, abs=100)


def test_hevc_of_two_sizes_is_encoded(make: Make, play: Play, decode: Callable[..., str], tmp_path: Path) -> None:
    """Its parameters stand in the header of an MP4, which has room for one size."""
    (tmp_path / "f").write_bytes(make("hevc.mp4").read_bytes() + make("hevc-large.mp4").read_bytes())
    copy = play(tmp_path / "f", tmp_path / "copy")
    assert copy.video is not None
    assert (copy.video.codec, copy.video.width, copy.video.height) == ("h264", 640, 360)
    assert decode(tmp_path / "copy") == ""
