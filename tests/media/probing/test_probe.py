"""Results are compared with a separate ffprobe run, never with our own parsing of the same lines."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from worker.media.errors import MediaRejected, Stopped
from worker.media.limits import Limits
from worker.media.probing.packet_reading import probe
from worker.media.probing.packet_timeline import Gap
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries

Make = Callable[[str], Path]
Probed = Callable[[Path], Probe]
Look = Callable[[Path], dict[str, Any]]
Concatenate = Callable[..., Path]


def span_ms(look: Look, path: Path) -> float:
    """From the first to the end of the last packet, by an ffprobe without our options."""
    packets = [p for p in look(path)["packets"] if "D" not in p["flags"]]
    ends = [float(p["pts_time"]) + float(p.get("duration_time", 0)) for p in packets]
    return 1000 * (max(ends) - min(float(p["pts_time"]) for p in packets))


def reason_of(path: Path, binaries: Binaries, limits: Limits | None = None) -> str:
    with pytest.raises(MediaRejected) as caught:
        probe(path, binaries, limits=limits or Limits())
    assert caught.value.problem()["status"] == 422
    assert caught.value.problem()["reason"] == caught.value.reason
    assert not caught.value.retryable
    return caught.value.reason


def test_a_chrome_recording_is_described(make: Make, probed: Probed) -> None:
    media = probed(make("chrome-vp9.webm"))

    assert (media.container, media.demuxer, media.size_bytes) == ("webm", "matroska", 448_659)
    assert (media.duration_ms, media.header_duration_ms, media.truncated, media.gaps) == (11_983, None, False, ())
    assert media.bit_rate == pytest.approx(448_659 * 8 / 11.983, rel=0.001)
    assert media.video is not None
    assert (media.video.codec, media.video.width, media.video.height, media.video.pixel_format) == (
        "vp9", 1280, 720, "yuv420p",
    )  # fmt: skip
    assert (media.video.frames, media.video.key_frames, media.video.max_key_interval_ms) == (335, 4, 3759)
    assert media.video.frame_rate == pytest.approx(27.9, abs=0.1)
    assert media.video.alpha
    assert media.audio is not None
    assert (media.audio.codec, media.audio.sample_rate, media.audio.channels, media.audio.packets) == (
        "opus", 48_000, 2, 199,
    )  # fmt: skip


@pytest.mark.parametrize(
    "name",
    ["chrome-vp9.webm", "chrome-h264.webm", "chrome-pause.webm", "chrome-audio.webm", "vp8.webm", "av1.webm",
     "vorbis.webm", "h264.mkv", "fragmented.mp4", "plain.mp4", "faststart.mp4", "sound.m4a", "hevc.mp4"],
)  # fmt: skip
def test_the_length_is_that_of_the_packets(name: str, make: Make, probed: Probed, look: Look) -> None:
    assert probed(make(name)).duration_ms == pytest.approx(span_ms(look, make(name)), abs=1)


@pytest.mark.parametrize(
    ("name", "container", "video", "audio"),
    [
        ("chrome-h264.webm", "matroska", "avc1.42c020", "opus"),
        ("chrome-pause.webm", "webm", "vp8", "opus"),
        ("chrome-audio.webm", "webm", None, "opus"),
        ("vp8-silent.webm", "webm", "vp8", None),
        ("av1.webm", "webm", "av01.0.00M.08", None),
        ("vorbis.webm", "webm", None, "vorbis"),
        ("plain.mp4", "mp4", "avc1.4d400c", "mp4a.40.2"),
        ("sound.m4a", "mp4", None, "mp4a.40.2"),
    ],
)
def test_the_tracks_are_named(
    name: str, container: str, video: str | None, audio: str | None, make: Make, probed: Probed
) -> None:
    media = probed(make(name))
    assert media.container == container
    assert (media.video and media.video.codec_string) == video
    assert (media.audio and media.audio.codec_string) == audio


def test_names_and_extensions_mean_nothing(make: Make, probed: Probed, tmp_path: Path) -> None:
    for name, disguise in (("plain.mp4", "a.webm"), ("vp8.webm", "-i.mp4"), ("vp8.webm", "it's, a:b|c %d\n.txt")):
        (tmp_path / disguise).write_bytes(make(name).read_bytes())
        assert probed(tmp_path / disguise).duration_ms == probed(make(name)).duration_ms


def test_a_header_that_tells_the_length_is_kept_beside_the_truth(make: Make, probed: Probed) -> None:
    assert probed(make("plain.mp4")).header_duration_ms == pytest.approx(2000, abs=30)
    assert probed(make("vp8.webm")).header_duration_ms is None


def test_a_phones_rotation_is_told(make: Make, probed: Probed) -> None:
    video = probed(make("rotated.mp4")).video
    assert video is not None
    assert (video.width, video.height, video.rotation) == (320, 180, 90)


def test_a_single_frame_is_a_recording(make: Make, probed: Probed) -> None:
    media = probed(make("one-frame.webm"))
    assert media.video is not None
    assert (media.video.frames, media.video.frame_rate) == (1, 0.0)
    assert media.duration_ms >= 1


@pytest.mark.parametrize("share", [0.1, 0.35, 0.5, 0.77, 0.99])
@pytest.mark.parametrize("name", ["chrome-vp9.webm", "chrome-h264.webm", "fragmented.mp4"])
def test_what_is_left_of_a_cut_recording_counts(
    name: str, share: float, make: Make, probed: Probed, tmp_path: Path
) -> None:
    whole = make(name)
    cut = tmp_path / name
    cut.write_bytes(whole.read_bytes()[: int(whole.stat().st_size * share)])
    media = probed(cut)
    assert media.truncated
    assert 0 < media.duration_ms <= probed(whole).duration_ms
    if name.startswith("chrome"):
        assert media.duration_ms == pytest.approx(probed(whole).duration_ms * share, rel=0.5)


def test_a_lost_chunk_in_the_middle_is_a_gap(make: Make, probed: Probed, tmp_path: Path) -> None:
    """Clusters 3 to 5 of Chrome's file, between two and five seconds."""
    recording = make("chrome-vp9.webm").read_bytes()
    (tmp_path / "f").write_bytes(recording[:71_618] + recording[163_776:])
    media = probed(tmp_path / "f")
    (gap,) = media.gaps
    assert media.duration_ms == 11_983
    assert 1500 < gap.start_ms < 4000
    assert 1000 < gap.length_ms < 4000


def test_two_recordings_in_one_file_last_as_long_as_both(make: Make, concatenate: Concatenate, probed: Probed) -> None:
    media = probed(concatenate("chrome-vp9.webm", "chrome-vp9.webm"))
    assert media.duration_ms == 2 * 11_983
    assert [part.part.offset for part in media.parts] == [0, 448_659]
    assert media.video is not None
    assert media.video.frames == 2 * 335


def test_the_larger_picture_stands_for_all_parts(concatenate: Concatenate, probed: Probed) -> None:
    video = probed(concatenate("vp8.webm", "vp8-large.webm")).video
    assert video is not None
    assert (video.width, video.height) == (640, 360)


def test_gaps_of_a_later_part_count_from_the_beginning(make: Make, probed: Probed, tmp_path: Path) -> None:
    recording = make("chrome-vp9.webm").read_bytes()
    (tmp_path / "f").write_bytes(recording + recording[:71_618] + recording[163_776:])
    (gap,) = probed(tmp_path / "f").gaps
    assert isinstance(gap, Gap)
    assert 11_983 + 1500 < gap.start_ms < 11_983 + 4000


@pytest.mark.parametrize("rest", [b"", b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff"])
def test_a_second_recording_that_never_began_takes_nothing_away(
    rest: bytes, make: Make, probed: Probed, tmp_path: Path
) -> None:
    recording = make("chrome-vp9.webm").read_bytes()
    (tmp_path / "f").write_bytes(recording + recording[:208] + rest)
    assert probed(tmp_path / "f").duration_ms == 11_983


def test_parts_in_different_codecs_are_named(concatenate: Concatenate, probed: Probed) -> None:
    assert probed(concatenate("chrome-vp9.webm", "chrome-vp9.webm")).unjoinable == frozenset()
    assert probed(concatenate("chrome-vp9.webm", "chrome-pause.webm")).unjoinable == {"video"}
    assert probed(concatenate("chrome-audio.webm", "vorbis.webm")).unjoinable == {"audio"}
    assert probed(concatenate("chrome-audio.webm", "vp8-silent.webm")).unjoinable == frozenset()
    assert probed(concatenate("vorbis.webm", "vp8-silent.webm")).codecs("audio") == ("vorbis",)


def test_limits_hold(make: Make, concatenate: Concatenate, binaries: Binaries) -> None:
    assert reason_of(make("chrome-vp9.webm"), binaries, Limits(max_seconds=11)) == "too-long"
    assert reason_of(concatenate("vp8.webm", "vp8.webm"), binaries, Limits(max_seconds=3)) == "too-long"
    assert reason_of(make("chrome-vp9.webm"), binaries, Limits(max_pixels=900_000)) == "too-large-picture"
    assert reason_of(make("chrome-vp9.webm"), binaries, Limits(max_packets=500)) == "too-many-frames"


def test_the_caller_can_stop(make: Make, binaries: Binaries) -> None:
    with pytest.raises(Stopped):
        probe(make("chrome-vp9.webm"), binaries, should_stop=lambda: True)
