"""Whether the pictures of a fast copy can be decoded: a sample of its key frames, and more where something is wrong.

A file can be read from end to end and still stop a browser: its packets are counted, but nobody looks into them.
"""

import bisect
import math
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.binaries import Binaries
from worker.media.container import Part
from worker.media.errors import FfmpegFailed
from worker.media.header import PartReading
from worker.media.kinds import detect_demuxer
from worker.media.limits import Demuxer, Limits, input_options
from worker.media.runner import Budget, never, run_ffmpeg
from worker.media.streams import VideoStream

# Key frames that are decoded of a copy in which nothing is suspicious.
SAMPLED = 24
# Places at which packets are missing: how many are looked at, and how many pictures are decoded for one.
_MOST_PLACES = 20
_MOST_PICTURES = 3000
# The decoder of Chrome, which gives up where ffmpeg's own goes on.
_DECODERS = {"vp9": "libvpx-vp9"}
# The first key frame behind a place is looked for a moment later: times are rounded.
_MOMENT = 0.005

# Seconds of the copy: from, until.
Stretch = tuple[float, float]


@dataclass(frozen=True)
class Decoded:
    """How many pictures were decoded, and the stretches (seconds) whose pictures cannot be shown.

    `nothing`: not one picture can be shown.
    """

    pictures: int
    broken: tuple[Stretch, ...] = ()
    nothing: bool = False


@dataclass(frozen=True)
class _Run:
    """Times of the pictures that came out of the decoder, and whether it complained."""

    shown: list[float]
    complained: bool


@dataclass(frozen=True)
class _Copy:
    """A fast copy, and with what it is decoded."""

    path: Path
    demuxer: Demuxer
    # Its decoder; empty: ffmpeg's own choice.
    decoder: str
    binaries: Binaries
    should_stop: Callable[[], bool]


def decode_copy(
    path: Path,
    video: VideoStream,
    binaries: Binaries,
    *,
    places: Sequence[float] = (),
    should_stop: Callable[[], bool] = never,
) -> Decoded:
    """Decode a sample of the key frames of the copy's `video`, and everything around `places` (seconds of the copy).

    Raises what the runner raises.
    """
    copy = _Copy(path, detect_demuxer(path), _DECODERS.get(video.codec, ""), binaries, should_stop)
    step = max(1, -(-video.key_frames // SAMPLED))
    # What st() keeps counts the key frames; the others are dropped before the decoder sees them.
    sample = _decode(copy, f"if(key,mod(st(0,ld(0)+1)-1,{step}),1)")
    if not sample.complained and not places:
        return Decoded(len(sample.shown), nothing=not sample.shown and video.key_frames > 0)
    packets = _packets(copy)
    pictures, broken = len(sample.shown), []
    if sample.complained or not sample.shown:
        # The strict decoder gives a picture up that the lenient one fills with what it has.
        strict = _decode(copy, "not(key)", err_detect="explode")
        pictures += len(strict.shown)
        if not strict.shown and not sample.shown:
            return Decoded(pictures, nothing=True)
        if strict.shown:
            broken += _broken_keys([at for at, key in packets if key], strict.shown)
    for place in list(places)[:_MOST_PLACES]:
        if not any(start <= place < end for start, end in broken):
            count, stretch = _decode_around(copy, packets, place)
            pictures += count
            broken += stretch
    return Decoded(pictures, tuple(sorted(set(broken))))


def _broken_keys(keys: list[float], shown: list[float]) -> list[Stretch]:
    """From each key frame that is not shown to the next one that is."""
    stretches: list[Stretch] = []
    start: float | None = None
    for at in keys:
        if _is_among(at, shown):
            if start is not None:
                stretches.append((start - _MOMENT, at - _MOMENT))
            start = None
        elif start is None:
            start = at
    return stretches if start is None else [*stretches, (start - _MOMENT, math.inf)]


def _decode_around(copy: _Copy, packets: list[tuple[float, bool]], place: float) -> tuple[int, list[Stretch]]:
    """Decode from the key frame before `place` to the next one: how many pictures, and the stretch that is broken."""
    start = max((at for at, key in packets if key and at <= place), default=0.0)
    end = min((at for at, key in packets if key and at > place + _MOMENT), default=math.inf)
    wanted = [at for at, _ in packets if start <= at < end]
    if not wanted or len(wanted) > _MOST_PICTURES:
        return 0, []
    window = {"ss": f"{start:.6f}"} | ({} if end == math.inf else {"to": f"{end:.6f}"})
    run = _decode(copy, None, **window)
    missing = [at for at in wanted if not _is_among(at, run.shown)]
    if not run.complained or not missing:
        return len(run.shown), []
    return len(run.shown), [(min(missing) - _MOMENT, end - _MOMENT)]


def _is_among(at: float, times: list[float]) -> bool:
    """Whether one of these sorted times is this one."""
    place = bisect.bisect_left(times, at - _MOMENT / 2)
    return place < len(times) and times[place] <= at + _MOMENT / 2


def _decode(copy: _Copy, dropped: str | None, **options: str) -> _Run:
    """Decode the pictures of the copy, but for the packets that the expression `dropped` names."""
    words: dict[str, Any] = {**input_options(copy.demuxer), "threads": 1, **options}
    if copy.decoder:
        words["c:v"] = copy.decoder
    if dropped is not None:
        words["bsf:v"] = f"noise=drop='{dropped}'"
    with tempfile.NamedTemporaryFile(dir=copy.path.parent, prefix=".pictures-") as listing:
        picture = ffmpeg.input(str(copy.path.absolute()), **words)["v:0"]
        # As they come, in whatever size they come.
        times = {"fps_mode": "passthrough", "enc_time_base": "demux", "noautoscale": None, "copyts": None}
        output = ffmpeg.output(picture, listing.name, f="framecrc", max_error_rate=1, **times)
        budget = Budget(wall_seconds=120 + copy.path.stat().st_size / 2_000_000, stall_seconds=60)
        try:
            complaints = run_ffmpeg(copy.binaries, ffmpeg.get_args(output), budget=budget, should_stop=copy.should_stop)
        except FfmpegFailed as error:
            if error.returncode < 0:
                raise
            complaints = error.stderr  # not one picture
        lines = listing.read().decode("ascii", "replace").splitlines()
    return _Run(sorted(_times(lines)), any("to muxer in stream" not in line for line in complaints.splitlines()))


def _times(lines: list[str]) -> list[float]:
    """Seconds of each picture: `stream, dts, pts, duration, size, checksum`, in units that a comment states."""
    unit = 0.0
    times: list[float] = []
    for line in lines:
        if line.startswith("#tb 0: "):
            numerator, _, denominator = line.removeprefix("#tb 0: ").partition("/")
            unit = int(numerator) / int(denominator)
        elif not line.startswith("#") and line.count(",") >= 4:
            times.append(int(line.split(",")[2]) * unit)
    return times


def _packets(copy: _Copy) -> list[tuple[float, bool]]:
    """When each picture of the copy is shown (seconds), and whether it is a key frame."""
    found: list[tuple[float, bool]] = []

    def read(lines: list[str]) -> None:
        for line in lines:
            at, _, flags = line.partition(",")
            if at and at != "N/A":
                found.append((float(at), "K" in flags))

    reading = PartReading(copy.demuxer, copy.binaries, Limits(max_seconds=math.inf), copy.should_stop)
    words = ["-select_streams", "v:0", "-show_entries", "packet=pts_time,flags", "-of", "csv=p=0"]
    reading.read(copy.path, Part(0, copy.path.stat().st_size), words, read)
    return sorted(found)
