"""The poster of a recording: a frame that is not blank."""

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.binaries import Binaries
from worker.media.budget import Budget, never
from worker.media.contrast import BLANK, THUMBNAIL_OPTIONS, Contrast, on_paper, thumbnail, variances
from worker.media.errors import FfmpegFailed, FfmpegTimeout
from worker.media.kinds import detect_demuxer
from worker.media.limits import DEFAULT_LIMITS, Demuxer, Limits, input_options
from worker.media.probe import Probe
from worker.media.runner import run_ffmpeg
from worker.media.streams import VideoStream

MAX_WIDTH = 1280
# 2 is best, 31 worst; 4 makes a 1280-pixel board of 60 to 150 KB.
_QUALITY = 4
# Recordings that were cut off often end in a broken frame.
_END_MARGIN_MS = 500
# Pictures whose contrast is known: how many of the best are tried. One that was decoded before does not fail.
_KNOWN_TRIES = 2
# Times in a file are rounded to a millisecond, and in an MP4 to anything.
_MOMENT_MS = 5
# Two pairs of moments: the second is tried when all of the first are blank. At 0 there always is a frame.
_FIRST_TRIES = (0.25, 0.5, 0.75)
_LATER_TRIES = (0.13, 0.88, 0.0)
# The next key frame does as well as a moment when one comes within this share of the recording: decoding up to the
# moment took most of a poster's time.
_NEAR = 1 / 20
# Frames that may be decoded to reach a moment exactly; beyond that the key frame before it must do.
_EXACT_SEEK_FRAMES = 900


@dataclass(frozen=True)
class Poster:
    """A JPEG file: its size in pixels, and the moment of the recording it shows."""

    path: Path
    width: int
    height: int
    at_ms: int
    blank: bool


@dataclass(frozen=True)
class _Candidate:
    path: Path
    at_ms: int
    variance: float


def write_poster(
    playable: Path,
    target: Path,
    probed: Probe,
    binaries: Binaries,
    *,
    contrasts: Sequence[Contrast] = (),
    limits: Limits = DEFAULT_LIMITS,
    should_stop: Callable[[], bool] = never,
) -> Poster | None:
    """Write the best frame of `playable` (a fast copy, which can be sought) to `target` as JPEG.

    `contrasts` are those of key frames that were decoded before: the best of them is taken, when one is not blank.
    Else a few moments are decoded and compared. At most 1280 wide, both sides even, upright, without metadata.
    Returns None when there is no picture: sound only, or not one frame that can be decoded. Raises what the runner
    raises, except that a frame that fails is skipped.
    """
    video = probed.video
    if video is None:
        return None
    demuxer = detect_demuxer(playable)
    is_key_near = video.max_key_interval_ms <= _NEAR * probed.duration_ms
    with tempfile.TemporaryDirectory(prefix=".poster-", dir=target.parent) as folder:

        def take(at_ms: int, *, is_key: bool = False) -> _Candidate | None:
            frame = _Frame(playable, demuxer, video, at_ms, is_key or is_key_near, limits)
            return _take(frame, Path(folder), binaries, should_stop)

        best = _best_known(contrasts, take) or _best_of_moments(probed.duration_ms, take)
        if best is None:
            return None
        width, height = jpeg_size(best.path)
        best.path.replace(target)
        return Poster(target, width, height, best.at_ms, best.variance < BLANK)


def _best_known(contrasts: Sequence[Contrast], take: Callable[..., _Candidate | None]) -> _Candidate | None:
    """The first frame that can be taken of those with the most contrast; None when all are blank."""
    shown = sorted((c for c in contrasts if c.variance >= BLANK), key=lambda c: c.variance, reverse=True)
    candidates = (take(max(0, int(c.at * 1000) - _MOMENT_MS), is_key=True) for c in shown[:_KNOWN_TRIES])
    return next((candidate for candidate in candidates if candidate), None)


def _best_of_moments(duration_ms: int, take: Callable[[int], _Candidate | None]) -> _Candidate | None:
    """The frame with the most contrast of a few moments; of others when these are blank."""
    best: _Candidate | None = None
    for tries in (_FIRST_TRIES, _LATER_TRIES):
        for at_ms in moments(duration_ms, tries):
            candidate = take(at_ms)
            if candidate and (best is None or candidate.variance > best.variance):
                best = candidate
        if best and best.variance >= BLANK:
            break
    return best


def moments(duration_ms: int, tries: tuple[float, ...]) -> list[int]:
    """These fractions of a recording in milliseconds, none in its last half second, none twice."""
    latest = max(0, duration_ms - _END_MARGIN_MS)
    return list(dict.fromkeys(min(int(duration_ms * fraction), latest) for fraction in tries))


@dataclass(frozen=True)
class _Frame:
    """A frame to be taken at `at_ms`, or with `next_key` the first key frame from there."""

    playable: Path
    demuxer: Demuxer
    video: VideoStream
    at_ms: int
    next_key: bool
    limits: Limits


def _take(frame: _Frame, folder: Path, binaries: Binaries, should_stop: Callable[[], bool]) -> _Candidate | None:
    """Decode one frame into a JPEG and a thumbnail of its brightness; None when there is no frame."""
    jpeg, luma = folder / f"{frame.at_ms}.jpg", folder / f"{frame.at_ms}.luma"
    budget = Budget(wall_seconds=30, file_bytes=64 * 1024 * 1024)
    try:
        run_ffmpeg(binaries, _arguments(frame, jpeg, luma), budget=budget, should_stop=should_stop)
    except (FfmpegFailed, FfmpegTimeout):
        return None  # this part of the recording is broken; another moment may work
    measured = variances(luma.read_bytes()) if luma.exists() else []
    return _Candidate(jpeg, frame.at_ms, measured[0]) if measured and jpeg.exists() else None


def _arguments(frame: _Frame, jpeg: Path, luma: Path) -> list[str]:
    options: dict[str, Any] = {**input_options(frame.demuxer, frame.limits), "threads": 1}
    options["ss"] = f"{frame.at_ms / 1000:.3f}"
    if frame.next_key:
        options["bsf:v"] = "noise=drop=not(key)"
    elif frame.video.frame_rate * frame.video.max_key_interval_ms / 1000 > _EXACT_SEEK_FRAMES:
        options["noaccurate_seek"] = None
    decoder = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(frame.video.codec)
    if frame.video.alpha and decoder:
        options["c:v"] = decoder
    picture = ffmpeg.input(str(frame.playable.absolute()), **options)["v:0"]
    if frame.video.alpha and decoder:
        picture = on_paper(picture)
    # Square pixels first, then the width; never a side of 0.
    picture = (
        picture.filter("scale", "max(2,trunc(iw*sar/2)*2)", "max(2,trunc(ih/2)*2)")
        .filter("setsar", "1")
        .filter("scale", f"min({MAX_WIDTH},iw)", "-2")
    )
    branches = picture.split()
    shown = {"frames:v": 1, "fflags": "+bitexact", "flags:v": "+bitexact"}
    outputs = ffmpeg.merge_outputs(
        ffmpeg.output(branches[0], str(jpeg), f="mjpeg", pix_fmt="yuvj420p", **{"q:v": _QUALITY, **shown}),
        ffmpeg.output(thumbnail(branches[1]), str(luma), **THUMBNAIL_OPTIONS, **shown),
    )
    words: list[str] = ffmpeg.get_args(outputs)
    return words


def jpeg_size(path: Path) -> tuple[int, int]:
    """Width and height of a JPEG, from its frame header (ITU-T T.81 §B.2.2)."""
    data = path.read_bytes()
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
