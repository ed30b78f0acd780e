"""Whole recordings of many kinds, and functions that damage them as in publicly reported cases.

Everything is made from ffmpeg's test signals and from a few captures of real browsers. A defect is a function from a
`Kit` to bytes; `test_defects.py` says for each what must become of it.
"""

import itertools
import os
import struct
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.media.conftest import shared_folder
from tests.waiting import TIMEOUT
from worker.media.copying.plan_copy import plan_copy
from worker.media.copying.remux import write_copy
from worker.media.probing.header import read_header
from worker.media.probing.listening import choose_sounds
from worker.media.probing.packet_reading import read_packets
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never
from worker.recordings.ingest.better_draft import better_draft
from worker.recordings.ingest.draft import Draft, check_draft, with_true_duration

DATA = Path(__file__).parent.parent.parent / "data"

SECONDS = 6
PICTURE = ["-f", "lavfi", "-i", f"testsrc2=s=160x90:r=10:d={SECONDS}"]
SOUND = ["-f", "lavfi", "-i", f"sine=440:d={SECONDS}:r=48000"]
BOTH = [*PICTURE, *SOUND]
VP8 = ["-c:v", "libvpx", "-threads", "1", "-deadline", "realtime", "-cpu-used", "8", "-g", "10"]
VP9 = ["-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-g", "10"]
H264 = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-g", "10"]
OPUS, AAC = ["-c:a", "libopus", "-b:a", "32k"], ["-c:a", "aac", "-b:a", "32k"]
# A cluster, or a fragment, each second.
WEBM = ["-cluster_time_limit", "1000", "-f", "webm", "-live", "1"]
MKV = ["-cluster_time_limit", "1000", "-f", "matroska", "-live", "1"]
FRAGMENTS = ["-movflags", "frag_keyframe+empty_moov+default_base_moof", "-f", "mp4"]

RECIPES: dict[str, list[str]] = {
    "vp8": [*BOTH, *VP8, *OPUS, *WEBM],
    "vp9": [*BOTH, *VP9, *OPUS, *WEBM],
    "av1": [*BOTH, "-c:v", "libsvtav1", "-preset", "12", "-g", "10", *OPUS, *WEBM],
    "finished": [*BOTH, *VP8, *OPUS, "-f", "webm"],
    "sound": [*SOUND, *OPUS, *WEBM],
    "vorbis": [*SOUND, "-c:a", "libvorbis", *WEBM],
    "vp8-vorbis": [*BOTH, *VP8, "-c:a", "libvorbis", *WEBM],
    "picture": [*PICTURE, *VP8, *WEBM],
    "mkv": [*BOTH, *H264, "-tune", "zerolatency", *OPUS, *MKV],
    "fmp4": [*BOTH, *H264, *AAC, *FRAGMENTS],
    "fmp4-vp9": [*BOTH, *VP9, *OPUS, *FRAGMENTS],
    "plain": [*BOTH, *H264, *AAC, "-f", "mp4"],
    "faststart": [*BOTH, *H264, *AAC, "-movflags", "+faststart", "-f", "mp4"],
    "ogg": [*SOUND, *OPUS, "-f", "ogg"],
    "ts": [*BOTH, *H264, *AAC, "-f", "mpegts"],
    "flv": [*BOTH, *H264, *AAC, "-f", "flv"],
    "adts": [*SOUND, *AAC, "-f", "adts"],
    "small": ["-f", "lavfi", "-i", f"testsrc2=s=16x16:r=10:d={SECONDS}", *VP8, *WEBM],
    "odd": ["-f", "lavfi", "-i", f"testsrc2=s=161x91:r=10:d={SECONDS}", *VP8, *WEBM],
    "slow": ["-f", "lavfi", "-i", f"testsrc2=s=160x90:r=1:d={SECONDS}", *SOUND, *VP8, *OPUS, *WEBM],
    "still": ["-f", "lavfi", "-i", f"color=white:s=160x90:r=10:d={SECONDS}", *SOUND, *VP9, *OPUS, *WEBM],
    "no-keys": [*BOTH, *VP8, "-g", "600", *OPUS, *WEBM],
    "60ms": [*BOTH, *VP8, *OPUS, "-frame_duration", "60", *WEBM],
    "surround": [*PICTURE, "-f", "lavfi", "-i", f"anullsrc=cl=5.1:r=48000:d={SECONDS}", *VP8, *OPUS, "-b:a", "96k",
                 "-mapping_family", "1", *WEBM],
    "b-frames": [*BOTH, *H264, "-bf", "3", *AAC, "-movflags", "+faststart", "-f", "mp4"],
    "b-frames-plain": [*BOTH, *H264, "-bf", "3", *AAC, "-f", "mp4"],
    "high10": [*PICTURE, "-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p10le", "-f", "mp4"],
    "theora": [*PICTURE, "-c:v", "libtheora", "-f", "matroska"],
    "mpeg4": [*BOTH, "-c:v", "mpeg4", *AAC, "-f", "mp4"],
    "subtitled": [*BOTH, "-f", "srt", "-i", "{words.srt}", *H264, *AAC, "-c:s", "mov_text", "-f", "mp4"],
    "captioned": [*BOTH, "-f", "srt", "-i", "{words.srt}", *H264, *AAC, "-c:s", "srt", "-f", "matroska"],
    "two-sounds": [*BOTH, "-f", "lavfi", "-i", f"sine=880:d={SECONDS}", "-map", "0", "-map", "1", "-map", "2", *H264,
                   *AAC, "-f", "mp4"],
    "rotated": ["-display_rotation", "90", "-i", "{faststart}", "-c", "copy", "-f", "mp4"],
    "late-sound": [*PICTURE, "-itsoffset", "2", *SOUND, *VP8, *OPUS, "-t", "6", *WEBM],
    # More pictures than are all decoded.
    "long-mkv": ["-stream_loop", "5", "-i", "{h264.webm}", "-c", "copy", *MKV],
    "long-fmp4": ["-stream_loop", "5", "-i", "{h264.webm}", "-c", "copy", *FRAGMENTS],
    # Its Opus begins with 80 ms that are not heard.
    "chrome-fmp4-vp9": ["-i", "{vp9.webm}", "-c", "copy", *FRAGMENTS],
    "long-alpha": ["-stream_loop", "5", "-i", "{vp9.webm}", "-c", "copy", "-metadata:s:v:0", "alpha_mode=1",
                   "-cluster_time_limit", "1000", "-f", "webm", "-live", "1"],
    "tracks": [*SOUND, *[word for _ in range(40) for word in ("-map", "0:a")], *OPUS, "-t", "0.1", "-f", "matroska"],
}  # fmt: skip


class Kit:
    """Whole recordings by name, and what damages them."""

    def __init__(self, folder: Path, binaries: Binaries) -> None:
        self._folder = folder
        self._binaries = binaries

    @cache  # noqa: B019 - one kit for a whole run
    def whole(self, name: str) -> bytes:
        """The recording of that recipe, or a real capture by the name of its file."""
        return self._create(name).read_bytes()

    def _create(self, name: str) -> Path:
        if name not in RECIPES and (DATA / name).exists():
            return DATA / name
        path, own = self._folder / name, self._folder / f"{os.getpid()}-{name}"
        if path.exists():
            return path
        if name == "words.srt":
            own.write_text("1\n00:00:00,000 --> 00:00:01,000\nSelam\n", encoding="ascii")
        else:
            words: list[str | Path] = [
                str(self._create(word[1:-1])) if word.startswith("{") else word for word in RECIPES[name]
            ]
            clean = ["-map_metadata", "-1", "-fflags", "+bitexact"]
            command: list[str | Path] = [self._binaries.ffmpeg, "-v", "error", "-nostdin", "-y", *words, *clean, own]
            subprocess.run(command, check=True, timeout=TIMEOUT)
        # Two processes may make the same at once; each finds only what is complete.
        return own.replace(path)

    def cut(self, name: str, share: float) -> bytes:
        """The first `share` of it: the tab died."""
        whole = self.whole(name)
        return whole[: int(len(whole) * share)]

    def boxes(self, name: str) -> list[bytes]:
        """The top-level boxes of an MP4."""
        whole, at, contents = self.whole(name), 0, []
        while at < len(whole):
            length = int.from_bytes(whole[at : at + 4], "big")
            contents.append(whole[at : at + length])
            at += length
        return contents

    def fragments(self, name: str) -> tuple[bytes, list[bytes], bytes]:
        """The beginning of a fragmented MP4, its fragments, and its end."""
        boxes = self.boxes(name)
        starts = [number for number, box in enumerate(boxes) if box[4:8] == b"moof"]
        head, tail = boxes[: starts[0]], boxes[starts[-1] + 2 :]
        return b"".join(head), [boxes[at] + boxes[at + 1] for at in starts], b"".join(tail)

    def clusters(self, name: str) -> tuple[bytes, list[bytes]]:
        """The beginning of a live WebM, and its clusters."""
        whole = self.whole(name)
        starts = _all(whole, b"\x1f\x43\xb6\x75")
        return whole[: starts[0]], [whole[a:b] for a, b in itertools.pairwise([*starts, len(whole)])]

    def without_fragment(self, number: int, name: str = "fmp4") -> bytes:
        head, fragments, tail = self.fragments(name)
        return head + b"".join(fragments[:number] + fragments[number + 1 :]) + tail

    def with_clusters(self, name: str, order: list[int]) -> bytes:
        head, clusters = self.clusters(name)
        return head + b"".join(clusters[number] for number in order)

    def with_fragments(self, order: list[int], name: str = "fmp4") -> bytes:
        head, fragments, tail = self.fragments(name)
        return head + b"".join(fragments[number] for number in order) + tail

    def lost(self, name: str, start: float, end: float) -> bytes:
        """Without the bytes between two shares of it: a slice that never came."""
        whole = self.whole(name)
        return whole[: int(len(whole) * start)] + whole[int(len(whole) * end) :]

    def zeroed(self, name: str, start: float, end: float) -> bytes:
        """With zeros between two shares of it: a disk that lost power."""
        whole = self.whole(name)
        a, b = int(len(whole) * start), int(len(whole) * end)
        return whole[:a] + bytes(b - a) + whole[b:]

    def shifted(self, name: str, from_cluster: int, milliseconds: int) -> bytes:
        """With a clock that jumps at a cluster: each begins with its Timecode."""
        head, clusters = self.clusters(name)
        moved = [self._later(cluster, milliseconds) for cluster in clusters[from_cluster:]]
        return head + b"".join([*clusters[:from_cluster], *moved])

    @staticmethod
    def _later(cluster: bytes, milliseconds: int) -> bytes:
        # Id, size (1 to 8 bytes), Timecode (id E7, size 8x, value).
        size = 9 - cluster[4].bit_length()
        at = 4 + size
        assert cluster[at] == 0xE7
        length = cluster[at + 1] & 0x7F
        time = int.from_bytes(cluster[at + 2 : at + 2 + length], "big") + milliseconds
        rest = cluster[at + 2 + length :]
        return b"\x1f\x43\xb6\x75\x01\xff\xff\xff\xff\xff\xff\xff\xe7\x88" + time.to_bytes(8, "big") + rest

    def inside(self, name: str, edit: Callable[[bytes], bytes], *path: bytes) -> bytes:
        """An MP4 with one box, found by its path from the top, edited; sizes of all around it follow."""
        boxes = self.boxes(name)
        return b"".join(_edited(box, edit, path) for box in boxes)


def _edited(box: bytes, edit: Callable[[bytes], bytes], path: tuple[bytes, ...]) -> bytes:
    if box[4:8] != path[0]:
        return box
    if len(path) == 1:
        return edit(box)
    children, at = [], 8
    while at < len(box):
        length = int.from_bytes(box[at : at + 4], "big")
        children.append(_edited(box[at : at + length], edit, path[1:]))
        at += length
    body = b"".join(children)
    return (8 + len(body)).to_bytes(4, "big") + box[4:8] + body


def _all(data: bytes, needle: bytes) -> list[int]:
    offsets, at = [], data.find(needle)
    while at >= 0:
        offsets.append(at)
        at = data.find(needle, at + 1)
    return offsets


def box(kind: bytes, payload: bytes = b"") -> bytes:
    """One box of MP4."""
    return struct.pack(">I", 8 + len(payload)) + kind + payload


@pytest.fixture(scope="session")
def kit(binaries: Binaries, tmp_path_factory: pytest.TempPathFactory) -> Kit:
    return Kit(shared_folder("corpus", tmp_path_factory), binaries)


@pytest.fixture(scope="session")
def ingest(binaries: Binaries) -> Callable[[Path, Path], Draft]:
    """`ingest(source, folder)`: all that an ingest does to the bytes, what is tried after a failure included."""

    def make(source: Path, folder: Path) -> Draft:
        header = choose_sounds(source, read_header(source, binaries), binaries, folder, should_stop=never)
        probed = read_packets(source, header, binaries)
        draft = Draft(probed, plan_copy(probed), folder / "playback")
        write_copy(source, draft.path, draft.plan, binaries)
        checked = check_draft(with_true_duration(draft), binaries, never)
        if not checked.is_whole:
            better = better_draft(source, draft, checked, binaries, folder, never)
            if better is not None:
                draft, checked = better
        checked.copy_or_raise()
        return draft

    return make


@pytest.fixture(scope="session")
def complaints(binaries: Binaries) -> Callable[[Path], str]:
    """What a plain ffmpeg complains about when it decodes everything."""

    def decode(copy: Path) -> str:
        words: list[str | Path] = [
            "-v",
            "error",
            "-nostdin",
            "-i",
            copy,
            "-fps_mode",
            "passthrough",
            "-enc_time_base",
            "demux",
        ]
        command: list[str | Path] = [binaries.ffmpeg, *words, "-f", "null", "-"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT, check=False)
        # What the muxer of the test says of times is not about the decoding.
        return "\n".join(line for line in run.stderr.splitlines() if "to muxer in stream" not in line)

    return decode


@dataclass(frozen=True)
class Shown:
    """When the last picture or sound ends, how long the last picture lasts, and what the decoder complains about."""

    end: float
    last_picture: float
    complaints: str


@pytest.fixture(scope="session")
def shown(binaries: Binaries) -> Callable[[Path], Shown]:
    """What a player shows of a copy: everything is decoded once."""

    def show(copy: Path) -> Shown:
        # Threads cost more than they give with so small pictures.
        words = ["-v", "error", "-nostdin", "-threads", "1", "-i", str(copy), "-map", "0", "-fps_mode", "passthrough"]
        words += ["-enc_time_base", "demux", "-noautoscale", "-copyts", "-f", "framecrc", "-"]
        run = subprocess.run([binaries.ffmpeg, *words], capture_output=True, text=True, check=False, timeout=TIMEOUT)
        units: dict[str, float] = {}
        kinds: dict[str, str] = {}
        frames: dict[str, list[tuple[float, float]]] = {}
        for line in run.stdout.splitlines():
            word, _, rest = line.partition(" ")
            if word == "#tb":
                stream, _, unit = rest.partition(": ")
                units[stream] = int(unit.partition("/")[0]) / int(unit.partition("/")[2])
            elif word == "#media_type":
                kinds[rest.partition(":")[0]] = rest.partition(": ")[2]
            elif not word.startswith("#"):
                stream, _, pts, duration, *_ = line.split(",")
                frames.setdefault(stream, []).append((int(pts) * units[stream], int(duration) * units[stream]))
        last, ends = 0.04, [0.0]
        for stream, times in frames.items():
            if kinds[stream] == "video":
                starts = sorted(at for at, _ in times)
                last = max([last, *(later - at for at, later in itertools.pairwise(starts[-2:]))])
                ends.append(starts[-1] + last)
            else:
                ends.append(max(at + duration for at, duration in times))
        # What the muxer of the test says of times is not about the decoding.
        complaints = [line for line in run.stderr.splitlines() if "to muxer in stream" not in line]
        return Shown(max(ends), last, "\n".join(complaints))

    return show
