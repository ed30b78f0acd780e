"""Recordings to work on: four made by a real Chromium, the rest made here with ffmpeg, small and once per session."""

import json
import os
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.waiting import TIMEOUT
from worker.media.copying.fast_copy import Copy
from worker.media.copying.plan_copy import plan_copy
from worker.media.copying.remux import write_copy
from worker.media.copying.verify import verify_copy
from worker.media.probing.packet_reading import probe
from worker.media.probing.probe import Probe
from worker.media.processes.binaries import Binaries, find_binaries
from worker.settings import Settings

DATA = Path(__file__).parent.parent / "data"

PICTURE = ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=25:d=2"]
SOUND = ["-f", "lavfi", "-i", "sine=440:d=2:r=48000"]
# Threads of its encoder wait for each other in busy loops: on a busy machine they take five times as long as one.
VP8 = ["-c:v", "libvpx", "-threads", "1", "-deadline", "realtime", "-cpu-used", "8", "-g", "25"]
VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "25"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "25"]
# As a browser writes: no length, no index.
LIVE_WEBM = ["-f", "webm", "-live", "1"]
LIVE_MKV = ["-f", "matroska", "-live", "1"]
OPUS, AAC = ["-c:a", "libopus"], ["-c:a", "aac"]

# name -> arguments of ffmpeg
RECIPES: dict[str, list[str]] = {
    "vp8.webm": [*PICTURE, *SOUND, *VP8, *OPUS, *LIVE_WEBM],
    "vp8-large.webm": ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=2", *SOUND, *VP8, *OPUS, *LIVE_WEBM],
    "vp8-silent.webm": [*PICTURE, *VP8, *LIVE_WEBM],
    "vp8-odd.webm": ["-f", "lavfi", "-i", "testsrc2=s=321x181:d=1", *VP8, *LIVE_WEBM],
    "one-frame.webm": ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=1", *VP8, "-frames:v", "1", *LIVE_WEBM],
    "black.webm": ["-f", "lavfi", "-i", "color=black:s=320x180:d=2", *VP8, *LIVE_WEBM],
    "late.webm": ["-f", "lavfi", "-i", "color=white:s=320x180:d=3", "-vf",
                  "drawgrid=w=20:h=20:t=2:color=black:enable='between(t,1.2,1.8)'", *VP8, *LIVE_WEBM],
    "alpha.webm": ["-f", "lavfi", "-i", "color=black@0:s=320x180:d=1,format=yuva420p", "-vf",
                   "drawbox=40:40:200:20:black@1:fill:replace=1", *VP9, "-pix_fmt", "yuva420p", "-auto-alt-ref", "0",
                   *LIVE_WEBM],
    "alpha-full.webm": ["-f", "lavfi", "-i", "color=black@0:s=320x180:d=1,format=yuva420p", "-vf",
                        "drawbox=40:40:200:20:black@1:fill:replace=1,setrange=pc", *VP9, "-pix_fmt", "yuva420p",
                        "-color_range", "pc", "-auto-alt-ref", "0", *LIVE_WEBM],
    # Two tracks in the header, packets of one: a camera that never started.
    "no-picture.webm": ["-i", "{vorbis.webm}", "-itsoffset", "100", "-i", "{vp8-silent.webm}", "-map", "1:v", "-map",
                        "0:a", "-c", "copy", "-t", "2", *LIVE_WEBM],
    "vorbis.webm": [*SOUND, "-c:a", "libvorbis", *LIVE_WEBM],
    "av1.webm": ["-f", "lavfi", "-i", "testsrc2=s=64x64:d=0.5:r=10", "-c:v", "libaom-av1", "-usage", "realtime",
                 "-cpu-used", "8"],
    "h264.mkv": [*PICTURE, *SOUND, *H264, "-tune", "zerolatency", *OPUS, *LIVE_MKV],
    "h264-large.mkv": ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=2", *SOUND, *H264, "-tune", "zerolatency", *OPUS,
                       *LIVE_MKV],
    "h264-vorbis.mkv": [*PICTURE, *SOUND, *H264, "-c:a", "libvorbis", *LIVE_MKV],
    "bframes-opus.mkv": [*PICTURE, *SOUND, *H264[:2], "-bf", "3", "-g", "25", "-pix_fmt", "yuv420p", *OPUS, *LIVE_MKV],
    "bframes-aac.mkv": [*PICTURE, *SOUND, *H264[:2], "-bf", "3", "-g", "25", "-pix_fmt", "yuv420p", *AAC, *LIVE_MKV],
    "opus.ogg": [*SOUND, *OPUS],
    "vorbis.ogg": [*SOUND, "-c:a", "libvorbis"],
    "fragmented.mp4": [*PICTURE, *SOUND, *H264, *AAC, "-movflags", "frag_keyframe+empty_moov+default_base_moof"],
    "long-fragmented.mp4": ["-f", "lavfi", "-i", "testsrc2=s=160x90:r=10:d=6", "-f", "lavfi", "-i", "sine=d=6:r=48000",
                            *H264, "-g", "10", *AAC, "-movflags", "frag_keyframe+empty_moov+default_base_moof"],
    "plain.mp4": [*PICTURE, *SOUND, *H264, "-bf", "2", *AAC],
    "faststart.mp4": [*PICTURE, *SOUND, *H264, *AAC, "-metadata", "title=secret", "-metadata",
                      "comment=+09.0300+038.7400/", "-movflags", "+faststart"],
    "rotated.mp4": ["-display_rotation", "90", "-i", "{faststart.mp4}", "-c", "copy"],
    "sound.m4a": [*SOUND, *AAC, "-f", "mp4"],
    "vp9-aac.mp4": [*PICTURE, *SOUND, *VP9, *AAC],
    "hevc.mp4": ["-f", "lavfi", "-i", "testsrc2=s=320x180:d=1", "-c:v", "libx265", "-preset", "ultrafast",
                 "-x265-params", "log-level=error"],
    "hevc-large.mp4": ["-f", "lavfi", "-i", "testsrc2=s=640x360:d=1", "-c:v", "libx265", "-preset", "ultrafast",
                       "-x265-params", "log-level=error"],
    # Nothing is drawn for seconds, and nothing is said.
    "still.webm": ["-f", "lavfi", "-i", "testsrc2=s=320x180:r=1:d=20", "-vf",
                   "select='eq(n,0)+eq(n,1)+eq(n,7)+eq(n,19)'", "-fps_mode", "passthrough", "-c:v", "libvpx",
                   "-threads", "1", *LIVE_WEBM],
    "late-clock.webm": ["-i", "{vp8.webm}", "-c", "copy", "-output_ts_offset", "90000", *LIVE_WEBM],
    "theora.mkv": ["-f", "lavfi", "-i", "testsrc2=s=160x96:d=1", "-c:v", "libtheora"],
    # A shared window that is resized after two seconds.
    "wide.webm": ["-f", "lavfi", "-i", "color=white:s=320x180:d=2", *VP8],
    "tall.webm": ["-f", "lavfi", "-i", "color=gray:s=180x320:d=2", *VP8],
    "resized.webm": ["-f", "concat", "-safe", "0", "-i", "{resized.txt}", "-c", "copy", *LIVE_WEBM],
    # Pixels twice as wide as high.
    "anamorphic.webm": ["-f", "lavfi", "-i", "color=white:s=160x180:d=1,setsar=2", *VP8, *LIVE_WEBM],
    "beeps.webm": ["-f", "lavfi", "-i", "aevalsrc='0.5*sin(2000*PI*t)*(between(t,0.5,0.9)+between(t,3,3.4))':d=4",
                   *OPUS, *LIVE_WEBM],
    "pcm.webm": [*SOUND, "-c:a", "pcm_f32le", *LIVE_MKV],
    "subtitles.mkv": ["-f", "srt", "-i", "{words.srt}", "-c:s", "srt"],
    "many-tracks.mkv": [*SOUND, *[word for _ in range(40) for word in ("-map", "0:a")], "-c:a", "libopus", "-t", "0.1"],
}  # fmt: skip

# Recordings of every kind that can be played.
RECORDINGS = [
    "chrome-vp9.webm", "chrome-h264.webm", "chrome-pause.webm", "chrome-audio.webm", "vp8.webm", "vp8-silent.webm",
    "vp8-odd.webm", "one-frame.webm", "alpha.webm", "vorbis.webm", "av1.webm", "h264.mkv", "fragmented.mp4",
    "plain.mp4", "faststart.mp4", "rotated.mp4", "sound.m4a", "vp9-aac.mp4", "hevc.mp4",
]  # fmt: skip


@pytest.fixture(scope="session")
def binaries() -> Binaries:
    return find_binaries(Settings())


def write_drawn(binaries: Binaries, picture: str, words: Sequence[str], path: Path) -> None:
    """Encode what an ffmpeg source filter draws."""
    command: list[str | Path] = [binaries.ffmpeg, "-v", "error", "-nostdin", "-y", "-f", "lavfi", "-i", picture]
    subprocess.run([*command, *words, path], check=True, timeout=TIMEOUT)


def shared_folder(name: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of all processes of this run; what it holds is complete and not changed any more."""
    base = tmp_path_factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / name
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def make(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`make("vp8.webm")`: the recording of that recipe, or the sample of a real browser, e.g. `chrome-vp9.webm`."""
    folder = shared_folder("recordings", tmp_path_factory)

    def make_one(name: str) -> Path:
        if name.startswith("chrome-"):
            return DATA / name.removeprefix("chrome-")
        path, own = folder / name, folder / f"{os.getpid()}-{name}"
        if path.exists():
            return path
        if name == "words.srt":
            own.write_text("1\n00:00:00,000 --> 00:00:01,000\nSelam\n")
        elif name == "resized.txt":
            own.write_text(f"file {make_one('wide.webm')}\nfile {make_one('tall.webm')}\n")
        else:
            words = [str(make_one(word[1:-1])) if word.startswith("{") else word for word in RECIPES[name]]
            command: list[str | Path] = [binaries.ffmpeg, "-v", "error", "-nostdin", "-y", *words, own]
            subprocess.run(command, check=True, timeout=TIMEOUT)
        # Two processes may make the same at once; each finds only what is complete.
        return own.replace(path)

    return make_one


@pytest.fixture(scope="session")
def concatenate(make: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Path]:
    """`concatenate("a.webm", "b.webm")`: one file with the bytes of both, as a page reload leaves it."""
    folder = tmp_path_factory.mktemp("glued")

    def glue_some(*names: str) -> Path:
        path = folder / "+".join(names)
        path.write_bytes(b"".join(make(name).read_bytes() for name in names))
        return path

    return glue_some


@pytest.fixture(scope="session")
def probed(binaries: Binaries) -> Callable[[Path], Probe]:
    return lambda path: probe(path, binaries)


@pytest.fixture(scope="session")
def play(binaries: Binaries) -> Callable[[Path, Path], Copy]:
    """`play(source, target)`: write the fast copy of a recording and verify it."""

    def write(source: Path, target: Path) -> Copy:
        media = probe(source, binaries)
        plan = plan_copy(media)
        write_copy(source, target, plan, binaries)
        return verify_copy(target, media, plan.form, binaries)

    return write


@pytest.fixture(scope="session")
def look(binaries: Binaries) -> Callable[[Path], dict[str, Any]]:
    """What an ffprobe without any option of ours says about a file."""

    def look_at(path: Path) -> dict[str, Any]:
        command: list[str | Path] = [
            binaries.ffprobe,
            "-v",
            "error",
            "-show_format",
            "-show_streams",
            "-show_packets",
            "-of",
            "json",
            path,
        ]
        description: dict[str, Any] = json.loads(
            subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT).stdout
        )
        return description

    return look_at


@pytest.fixture(scope="session")
def decode(binaries: Binaries) -> Callable[..., str]:
    """Decode a file from `start` to its end; the answer is what ffmpeg complains about."""

    def decode_all(path: Path, start: float = 0) -> str:
        command: list[str | Path] = [binaries.ffmpeg, "-v", "error", "-nostdin", "-ss", str(start), "-i", path,
                   "-fps_mode", "passthrough", "-enc_time_base", "demux", "-f", "null", "-"]  # fmt: skip
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=TIMEOUT).stderr

    return decode_all


@pytest.fixture(scope="session")
def pixels(binaries: Binaries) -> Callable[..., bytes]:
    """The brightness of one frame, `width` x `height` bytes."""

    def read(path: Path, width: int, height: int) -> bytes:
        command: list[str | Path] = [binaries.ffmpeg, "-v", "error", "-nostdin", "-i", path, "-frames:v", "1", "-vf",
                   f"scale={width}:{height}", "-pix_fmt", "gray", "-f", "rawvideo", "-"]  # fmt: skip
        return subprocess.run(command, capture_output=True, check=True, timeout=TIMEOUT).stdout

    return read
