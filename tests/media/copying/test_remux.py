"""The copies are judged by an ffprobe and a decoder of the tests' own."""

import itertools
import shutil
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.media.conftest import RECORDINGS
from worker.media.containers.ebml import cues_are_in_front
from worker.media.containers.mp4_boxes import moov_is_in_front
from worker.media.copying.fast_copy import Copy as Verified
from worker.media.copying.plan_copy import plan_copy, plan_promised_copy
from worker.media.copying.remux import write_copy
from worker.media.errors import Stopped
from worker.media.probing.header import read_header
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries

Make = Callable[[str], Path]
Probed = Callable[[Path], Probe]
Look = Callable[[Path], dict[str, Any]]
Decode = Callable[..., str]
Concatenate = Callable[..., Path]
Copy = Callable[[Path], Path]
Play = Callable[[Path, Path], Verified]


@pytest.fixture
def copy(play: Play, tmp_path: Path) -> Copy:
    """The fast copy of a recording, alone in a folder of its own."""

    def write(source: Path) -> Path:
        target = tmp_path / "play" / "playback"
        target.parent.mkdir()
        play(source, target)
        return target

    return write


def payload(look: Look, path: Path, kind: str) -> list[int]:
    """The sizes of the packets of one track, which a copy does not change."""
    description = look(path)
    (index, *_) = [s["index"] for s in description["streams"] if s["codec_type"] == kind]
    return [int(p["size"]) for p in description["packets"] if p["stream_index"] == index]


@pytest.mark.parametrize("name", RECORDINGS)
def test_the_copy_is_whole_and_can_be_sought(
    name: str, make: Make, copy: Copy, probed: Probed, look: Look, decode: Decode
) -> None:
    truth = probed(make(name))
    target = copy(make(name))
    description = look(target)

    assert float(description["format"]["duration"]) * 1000 == pytest.approx(truth.duration_ms, abs=100)
    last = max(float(p["pts_time"]) + float(p.get("duration_time", 0)) for p in description["packets"])
    assert last * 1000 == pytest.approx(truth.duration_ms, abs=100)
    is_mp4 = "mp4" in description["format"]["format_name"]
    assert moov_is_in_front(target) if is_mp4 else cues_are_in_front(target)
    assert [s["codec_name"] for s in description["streams"]] == [t.codec for t in (truth.video, truth.audio) if t]
    assert decode(target) == ""
    assert decode(target, start=truth.duration_ms / 2000) == ""
    assert list(target.parent.iterdir()) == [target]


def test_an_empty_track_is_a_promise_that_is_not_kept(
    make: Make, copy: Copy, binaries: Binaries, probed: Probed, look: Look
) -> None:
    source = make("no-picture.webm")
    promised = plan_promised_copy(read_header(source, binaries))
    assert promised is not None
    assert promised.video is not None
    assert plan_copy(probed(source)).video is None
    assert [stream["codec_type"] for stream in look(copy(source))["streams"]] == ["audio"]


@pytest.mark.parametrize("name", ["chrome-vp9.webm", "chrome-h264.webm", "chrome-pause.webm", "plain.mp4"])
def test_nothing_is_encoded_anew_and_nothing_left_out(name: str, make: Make, copy: Copy, look: Look) -> None:
    target = copy(make(name))
    assert len(payload(look, target, "video")) == len(payload(look, make(name), "video"))
    assert payload(look, target, "audio") == payload(look, make(name), "audio")


@pytest.mark.parametrize("name", ["chrome-vp9.webm", "chrome-h264.webm", "faststart.mp4"])
def test_picture_and_sound_keep_their_distance(name: str, make: Make, copy: Copy, look: Look) -> None:
    def starts(path: Path) -> list[float]:
        packets = [p for p in look(path)["packets"] if "D" not in p["flags"]]
        return [min(float(p["pts_time"]) for p in packets if p["stream_index"] == index) for index in (0, 1)]

    (video, audio), (video_before, audio_before) = starts(copy(make(name))), starts(make(name))
    assert audio - video == pytest.approx(audio_before - video_before, abs=0.002)


@pytest.mark.parametrize("name", ["chrome-vp9.webm", "chrome-h264.webm", "plain.mp4"])
def test_the_same_recording_gives_the_same_bytes(name: str, make: Make, play: Play, tmp_path: Path) -> None:
    for target in (tmp_path / "a", tmp_path / "b"):
        play(make(name), target)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_titles_and_places_are_left_behind(make: Make, copy: Copy) -> None:
    assert b"+09.0300" in make("faststart.mp4").read_bytes()
    copied = copy(make("faststart.mp4")).read_bytes()
    assert b"+09.0300" not in copied
    assert b"secret" not in copied


def test_a_phones_rotation_goes_along(make: Make, copy: Copy, probed: Probed) -> None:
    video = probed(copy(make("rotated.mp4"))).video
    assert video is not None
    assert video.rotation == 90


def test_a_transparent_board_stays_transparent(make: Make, copy: Copy, probed: Probed) -> None:
    video = probed(copy(make("alpha.webm"))).video
    assert video is not None
    assert video.alpha


@pytest.mark.parametrize("share", [0.12, 0.5, 0.83])
@pytest.mark.parametrize("name", ["chrome-vp9.webm", "chrome-h264.webm", "fragmented.mp4"])
def test_a_cut_recording_plays_as_far_as_it_goes(
    name: str, share: float, make: Make, copy: Copy, probed: Probed, decode: Decode, tmp_path: Path
) -> None:
    data = make(name).read_bytes()
    (tmp_path / "cut").write_bytes(data[: int(len(data) * share)])
    target = copy(tmp_path / "cut")
    assert probed(target).duration_ms == pytest.approx(probed(tmp_path / "cut").duration_ms, abs=100)
    assert not probed(target).truncated
    if name != "fragmented.mp4":  # its last frame is cut in the middle, and is kept
        assert decode(target) == ""


def test_a_lost_chunk_keeps_its_place_in_time(make: Make, copy: Copy, probed: Probed, tmp_path: Path) -> None:
    data = make("chrome-vp9.webm").read_bytes()
    (tmp_path / "f").write_bytes(data[:71_618] + data[163_776:])
    media = probed(copy(tmp_path / "f"))
    assert media.duration_ms == pytest.approx(11_983, abs=100)
    assert media.gaps == probed(tmp_path / "f").gaps


@pytest.mark.parametrize(
    "names",
    [
        ("chrome-vp9.webm", "chrome-vp9.webm"),
        ("chrome-h264.webm", "chrome-h264.webm", "chrome-h264.webm"),
        ("chrome-audio.webm", "chrome-audio.webm"),
        ("vp8.webm", "vp8-large.webm", "vp8.webm"),
        ("h264.mkv", "h264-large.mkv"),
        ("fragmented.mp4", "fragmented.mp4"),
        ("vp8.webm", "vp8-silent.webm"),
        ("vp8-silent.webm", "vp8.webm"),
        ("chrome-audio.webm", "vp8.webm"),
        ("chrome-audio.webm", "vp8-silent.webm", "chrome-audio.webm"),
    ],
)
def test_parts_play_one_after_another(
    names: tuple[str, ...], make: Make, concatenate: Concatenate, copy: Copy, probed: Probed, look: Look, decode: Decode
) -> None:
    alone = [probed(make(name)) for name in names]
    target = copy(concatenate(*names))
    whole = sum(part.duration_ms for part in alone)

    description = look(target)
    assert float(description["format"]["duration"]) * 1000 == pytest.approx(whole, abs=100)
    assert decode(target) == ""
    assert decode(target, start=whole / 1250) == ""
    frames = sum(part.video.frames for part in alone if part.video)
    sizes = [int(p["size"]) for p in description["packets"]]
    assert len([s for s in description["streams"] if s["codec_type"] == "video"]) == (1 if frames else 0)
    assert len(payload(look, target, "video") if frames else []) == frames
    assert len(sizes) >= frames + sum(part.audio.packets for part in alone if part.audio)
    assert probed(target).gaps == ()
    assert list(target.parent.iterdir()) == [target]


def test_time_never_goes_back_in_joined_parts(concatenate: Concatenate, copy: Copy, look: Look) -> None:
    packets = look(copy(concatenate("chrome-vp9.webm", "chrome-vp9.webm")))["packets"]
    for index in (0, 1):
        times = [float(p["pts_time"]) for p in packets if p["stream_index"] == index]
        assert times == sorted(times)
        assert max(after - before for before, after in itertools.pairwise(times)) < 0.6


def tracks_of(probe: Probe) -> list[str | None]:
    return [stream.codec if stream else None for stream in (probe.video, probe.audio)]


@pytest.mark.parametrize(
    ("names", "codecs", "encoded"),
    [
        (("vp8.webm", "chrome-vp9.webm"), ["h264", "opus"], [("video", "vp8"), ("video", "vp9")]),
        (("vorbis.webm", "chrome-audio.webm"), [None, "opus"], [("audio", "vorbis"), ("audio", "opus")]),
        (("vorbis.webm", "vp8-silent.webm"), ["vp8", "opus"], [("audio", "vorbis")]),
        (("vp8.webm", "fragmented.mp4"), ["h264", "aac"],
         [("video", "vp8"), ("video", "h264"), ("audio", "opus"), ("audio", "aac")]),
    ],
)  # fmt: skip
def test_parts_in_different_codecs_are_encoded_into_one(
    names: tuple[str, ...],
    codecs: list[str | None],
    encoded: list[tuple[str, str]],
    concatenate: Concatenate,
    play: Play,
    probed: Probed,
    decode: Decode,
    tmp_path: Path,
) -> None:
    source = concatenate(*names)
    media = probed(source)
    copy = play(source, tmp_path / "p")
    assert copy.faults == ()
    assert [(repair.track, repair.codec) for repair in plan_copy(media).repairs] == encoded
    assert tracks_of(probed(tmp_path / "p")) == codecs
    assert decode(tmp_path / "p") == ""


def test_a_stopped_copy_leaves_nothing(make: Make, binaries: Binaries, probed: Probed, tmp_path: Path) -> None:
    # The servers of other tests may be children of this process, too.
    before = set(psutil.Process().children())
    with pytest.raises(Stopped):
        plan = plan_copy(probed(make("chrome-vp9.webm")))
        write_copy(make("chrome-vp9.webm"), tmp_path / "p", plan, binaries, should_stop=lambda: True)
    assert list(tmp_path.iterdir()) == []
    assert set(psutil.Process().children()) <= before


def test_progress_reaches_the_length(make: Make, binaries: Binaries, probed: Probed, tmp_path: Path) -> None:
    seconds_written: list[float] = []
    source = make("chrome-vp9.webm")
    write_copy(source, tmp_path / "p", plan_copy(probed(source)), binaries, on_progress=seconds_written.append)
    assert seconds_written[-1] == pytest.approx(11.98, abs=0.1)


def test_awkward_paths_are_paths(make: Make, play: Play, probed: Probed, tmp_path: Path) -> None:
    folder = tmp_path / "it's, a:b|c %d"
    folder.mkdir()
    for number, names in enumerate([("vp8.webm",), ("vp8.webm", "vp8.webm")]):
        source = folder / f"-{number}, start"
        source.write_bytes(b"".join(make(name).read_bytes() for name in names))
        written = play(source, folder / f"-{number}.mp4")
        assert written.duration_ms == pytest.approx(probed(source).duration_ms, abs=100)


def test_frames_before_the_first_key_frame_are_nothing_lost(
    make: Make, copy: Copy, probed: Probed, decode: Decode, tmp_path: Path
) -> None:
    """The first Cluster is gone, so the pictures until the next key frame cannot be shown; the sound is all kept."""
    data = make("chrome-vp9.webm").read_bytes()
    (tmp_path / "f").write_bytes(data[:208] + data[29_300:])
    truth = probed(tmp_path / "f")
    target = copy(tmp_path / "f")
    assert probed(target).audio == truth.audio
    assert probed(target).duration_ms == pytest.approx(truth.duration_ms, abs=100)
    assert decode(target) == ""


def test_the_stated_size_of_the_index_is_true(make: Make, copy: Copy) -> None:
    """The first box of the MP4 is `ftyp`, the second `moov`, and what they state fills the file."""
    data = copy(make("chrome-h264.webm")).read_bytes()
    at, types = 0, []
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at : at + 8])
        types.append(kind)
        at += length
    assert at == len(data)
    assert types[:2] == [b"ftyp", b"moov"]


def test_the_source_is_left_as_it_was(make: Make, copy: Copy, tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copy(make("chrome-vp9.webm"), source)
    copy(source)
    assert source.read_bytes() == make("chrome-vp9.webm").read_bytes()
