"""Recordings of real browsers, whole and broken, through the real ingest: available, with what is missing named."""

import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import TIMEOUT
from tests.workflows.conftest import RecordingFixture
from worker.jobs.orders.recording_orders import IngestRecording, StoreSource
from worker.media.copying.plan_copy import plan_copy
from worker.media.probing.packet_reading import probe
from worker.media.processes.binaries import find_binaries
from worker.recordings.ingest.better_draft import better_draft
from worker.recordings.ingest.draft import Draft, check_draft
from worker.settings import Settings
from worker.workflows.context import WorkerContext

# Threads of this encoder wait for each other in busy loops.
VP8 = ["-c:v", "libvpx", "-threads", "1"]
RECORDINGS = Path(__file__).parent.parent / "data" / "recordings"
VP9 = (RECORDINGS.parent / "vp9.webm").read_bytes()

Ingest = Callable[[bytes], dict[str, Any]]
Make = Callable[..., bytes]


@pytest.fixture
def ingest(recordings: RecordingFixture, context: WorkerContext, tmp_path: Path) -> Ingest:
    """`ingest(content)`: the metadata of the recording that became of it; its copy was decoded to its end."""

    def run(content: bytes) -> dict[str, Any]:
        recording_id = recordings.arrive(content)
        job = recordings.perform(IngestRecording, recording_id)
        assert (job.state, job.error) == ("succeeded", None)
        context.store.download(recordings.rendition(recording_id, "playback").object_name, tmp_path / "copy")
        options = ["-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "null", "-"]
        command = [str(context.binaries.ffmpeg), "-v", "error", "-nostdin", "-i", str(tmp_path / "copy"), *options]
        decoded = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stderr
        assert [line for line in decoded.splitlines() if "to muxer in stream" not in line] == []
        metadata: dict[str, Any] = recordings.row(recording_id).recording_metadata
        assert recordings.perform(StoreSource, recording_id).state == "succeeded"
        return metadata

    return run


@pytest.fixture
def make(context: WorkerContext, tmp_path: Path) -> Make:
    """`make("f.mkv", *arguments)`: four seconds that ffmpeg writes; its inputs are a picture, a tone, silence."""

    def write(name: str, *arguments: str) -> bytes:
        inputs = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=10:d=4", "-f", "lavfi", "-i", "sine=440:d=4:r=48000",
                  "-f", "lavfi", "-i", "anullsrc=r=48000:d=4"]  # fmt: skip
        options = ["-v", "error", "-nostdin", "-y", *inputs, *arguments, "-t", "4"]
        command = [str(context.binaries.ffmpeg), *options, str(tmp_path / name)]
        subprocess.run(command, check=True, timeout=120)
        return (tmp_path / name).read_bytes()

    return write


def kinds(metadata: dict[str, Any]) -> list[str]:
    return [repair["kind"] for repair in metadata["repairs"]]


@pytest.mark.parametrize(
    ("name", "mime", "duration_ms", "repairs"),
    [
        ("talk_h264.webm", "video/mp4", 15_094, []),
        ("h264_few.webm", "video/mp4", 15_085, []),
        ("ff_audio_default.ogg", "audio/webm", 6009, []),
        # Its header names a track of sound.
        ("one_frame_cap_vp9.webm", "video/webm", 1, ["sound-lost"]),
        # The tab died: within the first fragment, and in the middle of a picture.
        ("cut0_cap_mp4_avc1_opus.mp4", "video/mp4", 4506, ["sound-lost", "cut-off"]),
        ("cut0_mp4_safari.mp4", "video/mp4", 2721, ["cut-off"]),
        # The phone was turned: the pictures from there on cannot be shown by anything, and the sound goes on.
        ("cap_mp4_resize_avc1.mp4", "video/mp4", 6021, ["pictures-dropped"]),
    ],
)
def test_it_plays_and_what_is_missing_is_named(
    name: str, mime: str, duration_ms: int, repairs: list[str], ingest: Ingest
) -> None:
    metadata = ingest((RECORDINGS / name).read_bytes())
    assert (metadata["mime"], kinds(metadata)) == (mime, repairs)
    assert metadata["duration_ms"] == pytest.approx(duration_ms, abs=100)


def test_a_lost_slice_costs_the_pictures_up_to_the_next_key_frame(ingest: Ingest) -> None:
    """Clusters 3 to 5 of Chrome's file are gone, and the pictures behind them refer to lost ones."""
    metadata = ingest(VP9[:71_618] + VP9[163_776:])
    assert metadata["duration_ms"] == pytest.approx(11_983, abs=100)
    gap = metadata["repairs"][0]
    assert gap["kind"] == "gap"
    assert 1500 < gap["at_ms"] < 4000
    assert set(kinds(metadata)) <= {"gap", "pictures-dropped"}


@pytest.mark.parametrize(
    ("name", "arguments", "codecs", "repairs"),
    [
        ("f.mp4", ["-map", "0", "-map", "1", "-map", "1", "-c:v", "libx264", "-c:a:0", "aac", "-c:a:1", "ac3"],
         ["h264", "aac"], ["sounds-mixed", "encoded"]),
        ("f.mkv", ["-map", "0", "-map", "2", "-map", "1", "-c:v", "libx264", "-c:a", "aac"],
         ["h264", "aac"], ["track-left-out", "track-chosen"]),
        ("f.mkv", ["-map", "0", "-map", "1", "-map", "2", *VP8, "-c:a:0", "libopus", "-c:a:1", "pcm_s16le"],
         ["vp8", "opus"], ["track-left-out"]),
        ("f.mp4", ["-map", "0", "-map", "1", "-c:v", "libx264", "-c:a", "libmp3lame"], ["h264", "mp3"], []),
        ("f.mp4", ["-map", "0", "-map", "1", "-c:v", "libx264", "-c:a", "flac"], ["h264", "flac"], []),
        ("f.mp4", ["-map", "0", "-map", "1", "-c:v", "libx264", "-c:a", "ac3"], ["h264", "aac"], ["encoded"]),
        ("f.mov", ["-map", "0", "-map", "1", "-c:v", "libx264", "-c:a", "pcm_s16le"], ["h264", "aac"], ["encoded"]),
        ("f.mkv", ["-map", "0", "-map", "1", *VP8, "-c:a", "aac"], ["vp8", "opus"], ["encoded"]),
        ("f.mp4", ["-map", "0", "-map", "1", "-c:v", "mpeg4", "-c:a", "aac"], ["h264", "aac"], ["encoded"]),
        ("f.mov", ["-map", "0", "-map", "1", "-c:v", "mjpeg", "-c:a", "pcm_s16le"], ["h264", "aac"],
         ["encoded", "encoded"]),
        ("f.mkv", ["-map", "1", "-c:a", "pcm_f32le"], [None, "aac"], ["encoded"]),
    ],
)  # fmt: skip
def test_no_track_costs_the_lesson(
    name: str, arguments: list[str], codecs: list[str | None], repairs: list[str], make: Make, ingest: Ingest
) -> None:
    metadata = ingest(make(name, *arguments))
    assert [metadata["video_codec"], metadata["audio_codec"]] == codecs
    assert kinds(metadata) == repairs
    assert metadata["duration_ms"] == pytest.approx(4000, abs=100)


def test_words_and_covers_are_left_out(make: Make, ingest: Ingest, tmp_path: Path) -> None:
    (tmp_path / "words.srt").write_text("1\n00:00:00,000 --> 00:00:01,000\nSelam\n")
    (tmp_path / "cover.jpg").write_bytes(make("cover.jpg", "-map", "0", "-frames:v", "1"))
    extra = ["-i", str(tmp_path / "words.srt"), "-i", str(tmp_path / "cover.jpg")]
    tracks = ["-map", "0", "-map", "1", "-map", "3", "-map", "4", "-c:v:0", "libx264", "-c:v:1", "copy", "-c:a", "aac"]
    content = make("f.mp4", *extra, *tracks, "-c:s", "mov_text", "-disposition:v:1", "attached_pic")
    metadata = ingest(content)
    assert [(repair["kind"], repair["track"]) for repair in metadata["repairs"]] == [
        ("track-left-out", "subtitle"), ("track-left-out", "cover"),
    ]  # fmt: skip


def test_the_size_is_what_is_shown(make: Make, ingest: Ingest, context: WorkerContext, tmp_path: Path) -> None:
    """A phone held upright, and pixels that are not square."""
    make("f.mp4", "-map", "0", "-c:v", "libx264")
    command: list[str | Path] = [
        context.binaries.ffmpeg,
        "-v",
        "error",
        "-display_rotation",
        "90",
        "-i",
        tmp_path / "f.mp4",
        "-c",
        "copy",
    ]
    subprocess.run([*command, tmp_path / "turned.mp4"], check=True, timeout=TIMEOUT)
    turned = ingest((tmp_path / "turned.mp4").read_bytes())
    assert (turned["width"], turned["height"]) == (180, 320)
    wide = ingest(make("wide.mp4", "-map", "0", "-c:v", "libx264", "-vf", "setsar=2"))
    assert (wide["width"], wide["height"]) == (640, 180)


def test_a_board_on_which_nobody_draws(ingest: Ingest) -> None:
    """Chrome's file of a picture each half or whole second: ffmpeg takes that for a rate and states half a second."""
    metadata = ingest((RECORDINGS.parent / "still_board.webm").read_bytes())
    assert (metadata["video_codec"], metadata["duration_ms"], metadata["repairs"]) == ("vp9", 5996, [])


def test_a_laptop_that_slept_keeps_its_lesson(make: Make, ingest: Ingest) -> None:
    """Ten hours lie between the second and the third second: five seconds of lesson, not ten hours."""
    jump = "setts=ts='TS+gte(TS*TB,2)*36000/TB'"
    tracks = ["-map", "0", "-map", "1", *VP8, "-g", "10", "-c:a", "libopus"]
    metadata = ingest(make("f.webm", *tracks, "-bsf", jump, "-f", "webm", "-live", "1"))
    (repair,) = metadata["repairs"]
    assert repair["kind"] == "clock-jump"
    assert repair["at_ms"] == pytest.approx(2000, abs=150)
    assert repair["length_ms"] == pytest.approx(36_000_000, abs=500)
    assert metadata["duration_ms"] == pytest.approx(4000, abs=150)


@pytest.fixture
def clusters() -> list[bytes]:
    """Chrome's file in pieces: its header, then its clusters of a second."""
    starts = [at for at in range(len(VP9)) if VP9.startswith(b"\x1f\x43\xb6\x75", at)]
    return [VP9[start:end] for start, end in zip([0, *starts], [*starts, len(VP9)], strict=True)]


def test_a_slice_that_was_sent_twice_is_played_once(clusters: list[bytes], ingest: Ingest) -> None:
    metadata = ingest(b"".join([*clusters[:4], clusters[3], *clusters[4:]]))
    assert kinds(metadata) == ["repeated"]
    assert metadata["duration_ms"] == pytest.approx(11_983, abs=100)
    assert metadata["fps"] == pytest.approx(27.9, abs=0.1)


def test_a_clock_that_began_again_loses_nothing(clusters: list[bytes], make: Make, ingest: Ingest) -> None:
    """The clusters of another recording behind those of the first, without a header of their own."""
    tracks = ["-map", "0", "-map", "1", "-c:v", "libvpx-vp9", "-deadline", "realtime", "-c:a", "libopus"]
    other = make("f.webm", *tracks, "-f", "webm", "-live", "1")
    first = make("g.webm", *tracks, "-vf", "negate", "-f", "webm", "-live", "1")
    metadata = ingest(first + other[other.index(b"\x1f\x43\xb6\x75") :])
    assert kinds(metadata) == ["clock-jump"]
    assert metadata["duration_ms"] == pytest.approx(8000, abs=150)


def test_a_copy_that_is_not_the_recording_is_encoded_from_it(
    make: Make, context: WorkerContext, tmp_path: Path
) -> None:
    """Half of the recording is in the copy, which plays: the other half is worth encoding all of it."""
    arguments = ["-map", "0", "-map", "1", "-c:v", "libx264", "-c:a", "aac"]
    make("half.mp4", *arguments, "-movflags", "+faststart", "-frames:v", "20", "-shortest")
    make("whole.mp4", *arguments)
    media = probe(tmp_path / "whole.mp4", context.binaries)
    draft = Draft(media, plan_copy(media), tmp_path / "half.mp4")
    checked = check_draft(draft, context.binaries, lambda: False)
    assert (checked.plays, checked.is_whole) == (True, False)

    better = better_draft(tmp_path / "whole.mp4", draft, checked, context.binaries, tmp_path, lambda: False)

    assert better is not None
    other, result = better
    assert (other.variant, result.is_whole) == ("encoded", True)
    assert [repair.kind for repair in other.repairs] == ["encoded", "encoded"]
    assert result.copy_or_raise().duration_ms == pytest.approx(4000, abs=100)


# A copy is verified at its two ends; twice as long as what they reach together.
LONG_SECONDS = 150
# Encoding the sound takes most of the time, so it is encoded once. Chromium's packets of Opus have 60 ms, too.
SOUNDS = {
    "opus.ogg": ["-c:a", "libopus", "-frame_duration", "60", "-compression_level", "0"],
    "aac.m4a": ["-c:a", "aac", "-aac_coder", "fast"],
}


@pytest.fixture(scope="module")
def long_sound(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`long_sound("opus.ogg")`: a tone of as many seconds as a long lesson has."""
    folder, ffmpeg = tmp_path_factory.mktemp("sounds"), find_binaries(Settings()).ffmpeg

    def sound(name: str) -> Path:
        path = folder / name
        if not path.exists():
            source = ["-f", "lavfi", "-i", f"sine=440:d={LONG_SECONDS}:r=48000"]
            subprocess.run([ffmpeg, "-v", "error", "-nostdin", *source, *SOUNDS[name], path], check=True, timeout=240)
        return path

    return sound


@pytest.mark.parametrize(
    ("name", "sound", "video"),
    [
        ("vp8.webm", "opus.ogg", [*VP8, "-deadline", "realtime", "-live", "1"]),
        ("vp9.webm", "opus.ogg", ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8"]),
        ("h264.mkv", "opus.ogg", ["-c:v", "libx264", "-preset", "ultrafast"]),
        ("h264.mp4", "aac.m4a",
         ["-c:v", "libx264", "-preset", "ultrafast", "-movflags", "frag_keyframe+empty_moov+default_base_moof"]),
        ("silent.webm", None, [*VP8, "-deadline", "realtime"]),
        ("sound.webm", "opus.ogg", None),
        ("sound.ogg", "opus.ogg", None),
        ("sound.m4a", "aac.m4a", None),
    ],
)  # fmt: skip
def test_a_long_lesson(
    name: str,
    sound: str | None,
    video: list[str] | None,
    long_sound: Callable[[str], Path],
    ingest: Ingest,
    context: WorkerContext,
    tmp_path: Path,
) -> None:
    picture = ["-f", "lavfi", "-i", f"testsrc2=s=160x90:r=2:d={LONG_SECONDS}"] if video else []
    tone: list[str | Path] = ["-i", long_sound(sound), "-c:a", "copy"] if sound else []
    command: list[str | Path] = [context.binaries.ffmpeg, "-v", "error", "-nostdin", *picture, *tone, *(video or [])]
    subprocess.run([*command, tmp_path / name], check=True, timeout=240)
    metadata = ingest((tmp_path / name).read_bytes())
    assert metadata["repairs"] == []
    assert metadata["duration_ms"] == pytest.approx(LONG_SECONDS * 1000, abs=150)


def test_the_microphone_ends_long_before_the_board_is_drawn_on_again(
    ingest: Ingest, context: WorkerContext, tmp_path: Path
) -> None:
    """A board that stands still for two minutes without sound is no laptop that slept."""
    drawn = "testsrc2=s=160x90:r=2:d=200,select='lt(t,20)+gt(t,180)'"
    inputs = ["-f", "lavfi", "-i", drawn, "-f", "lavfi", "-i", "sine=440:d=10:r=48000"]
    codecs = ["-fps_mode", "passthrough", *VP8, "-deadline", "realtime", "-c:a", "libopus"]
    command: list[str | Path] = [
        context.binaries.ffmpeg,
        "-v",
        "error",
        "-nostdin",
        *inputs,
        *codecs,
        tmp_path / "still.webm",
    ]
    subprocess.run(command, check=True, timeout=240)
    metadata = ingest((tmp_path / "still.webm").read_bytes())
    assert metadata["duration_ms"] == pytest.approx(200_000, abs=600)
    assert "clock-jump" not in kinds(metadata)
