"""One still picture of a recording, from a moment that shows something."""

import statistics
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.binaries import Binaries
from worker.media.errors import FfmpegFailed, FfmpegTimeout
from worker.media.kinds import detect_demuxer
from worker.media.limits import DEFAULT_LIMITS, Demuxer, Limits, input_options
from worker.media.probe import Probe
from worker.media.runner import Budget, never, run_ffmpeg
from worker.media.streams import VideoStream

MAX_WIDTH = 1280
# 2 is best, 31 worst; 4 makes a 1280-pixel board of 60 to 150 KB.
_QUALITY = 4
# Recordings that were cut off often end in a broken frame.
_END_MARGIN_MS = 500
# Two pairs of moments: the second is tried when all of the first are blank. At 0 there always is a frame.
_FIRST_TRIES = (0.25, 0.5, 0.75)
_LATER_TRIES = (0.13, 0.88, 0.0)
# Variance of the brightness (0-255) below which a picture is blank: a plain colour with coding noise has below 1,
# one line of thin writing on a board about 20.
_BLANK = 3.0
_LUMA_SIZE = (64, 36)
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
    limits: Limits = DEFAULT_LIMITS,
    should_stop: Callable[[], bool] = never,
) -> Poster | None:
    """Write the best frame of `playable` (a fast copy, which can be sought) to `target` as JPEG.

    At most 1280 wide, both sides even, upright, without metadata. None when there is no picture: sound only, or not
    one frame that can be decoded. Raises what the runner raises, except that a failed frame is passed over.
    """
    if probed.video is None:
        return None
    demuxer = detect_demuxer(playable)
    with tempfile.TemporaryDirectory(prefix=".poster-", dir=target.parent) as folder:
        best: _Candidate | None = None
        for tries in (_FIRST_TRIES, _LATER_TRIES):
            for at_ms in moments(probed.duration_ms, tries):
                frame = _Frame(playable, demuxer, probed.video, at_ms, probed.duration_ms, limits)
                candidate = _take(frame, Path(folder), binaries, should_stop)
                if candidate and (best is None or candidate.variance > best.variance):
                    best = candidate
            if best and best.variance >= _BLANK:
                break
        if best is None:
            return None
        width, height = jpeg_size(best.path)
        best.path.replace(target)
        return Poster(target, width, height, best.at_ms, best.variance < _BLANK)


def moments(duration_ms: int, tries: tuple[float, ...]) -> list[int]:
    """These fractions of a recording in milliseconds, none in its last half second, none twice."""
    latest = max(0, duration_ms - _END_MARGIN_MS)
    return list(dict.fromkeys(min(int(duration_ms * fraction), latest) for fraction in tries))


@dataclass(frozen=True)
class _Frame:
    """A frame to be taken at `at_ms` of a recording of `duration_ms`."""

    playable: Path
    demuxer: Demuxer
    video: VideoStream
    at_ms: int
    duration_ms: int
    limits: Limits


def _take(frame: _Frame, folder: Path, binaries: Binaries, should_stop: Callable[[], bool]) -> _Candidate | None:
    """Decode one frame into a JPEG and a thumbnail of its brightness; None when there is no frame."""
    jpeg, luma = folder / f"{frame.at_ms}.jpg", folder / f"{frame.at_ms}.luma"
    budget = Budget(wall_seconds=30, file_bytes=64 * 1024 * 1024)
    try:
        run_ffmpeg(binaries, _arguments(frame, jpeg, luma), budget=budget, should_stop=should_stop)
    except (FfmpegFailed, FfmpegTimeout):
        return None  # a broken stretch of the recording; another moment may do
    brightness = luma.read_bytes() if luma.exists() else b""
    if len(brightness) < 2 or not jpeg.exists():
        return None
    return _Candidate(jpeg, frame.at_ms, statistics.pvariance(brightness))


def _arguments(frame: _Frame, jpeg: Path, luma: Path) -> list[str]:
    options: dict[str, Any] = {**input_options(frame.demuxer, frame.limits), "threads": 1}
    options["ss"] = f"{frame.at_ms / 1000:.3f}"
    between_keys = frame.video.max_key_interval_ms
    if between_keys <= _NEAR * frame.duration_ms:
        options["bsf:v"] = "noise=drop=not(key)"
    elif frame.video.frame_rate * between_keys / 1000 > _EXACT_SEEK_FRAMES:
        options["noaccurate_seek"] = None
    decoder = {"vp8": "libvpx", "vp9": "libvpx-vp9"}.get(frame.video.codec)
    if frame.video.alpha and decoder:
        options["c:v"] = decoder
    picture = ffmpeg.input(str(frame.playable.absolute()), **options)["v:0"]
    if frame.video.alpha and decoder:
        picture = _on_white(picture)
    # Square pixels first, then the width; never a side of 0.
    picture = (
        picture.filter("scale", "max(2,trunc(iw*sar/2)*2)", "max(2,trunc(ih/2)*2)")
        .filter("setsar", "1")
        .filter("scale", f"min({MAX_WIDTH},iw)", "-2")
    )
    branches = picture.split()
    shrunk = branches[1].filter("scale", *_LUMA_SIZE)
    shown = {"frames:v": 1, "fflags": "+bitexact", "flags:v": "+bitexact"}
    outputs = ffmpeg.merge_outputs(
        ffmpeg.output(branches[0], str(jpeg), f="mjpeg", pix_fmt="yuvj420p", **{"q:v": _QUALITY, **shown}),
        ffmpeg.output(shrunk, str(luma), f="rawvideo", pix_fmt="gray", **shown),
    )
    words: list[str] = ffmpeg.get_args(outputs)
    return words


def _on_white(picture: Any) -> Any:
    """A transparent board drawn on paper: without it black ink lies on black.

    In RGB, where white is white: what a box paints into YUV is grey in a recording of full range.
    """
    layers = picture.filter("format", "rgba").split()
    paper = layers[0].filter("drawbox", color="white@1", t="fill", replace=1)
    return ffmpeg.overlay(paper, layers[1], format="rgb")


def jpeg_size(path: Path) -> tuple[int, int]:
    """Width and height of a JPEG, from its frame header (ITU-T T.81 §B.2.2)."""
    data = path.read_bytes()
    at = 2
    while data[at + 1] not in (0xC0, 0xC1, 0xC2):
        at += 2 + int.from_bytes(data[at + 2 : at + 4], "big")
    return int.from_bytes(data[at + 7 : at + 9], "big"), int.from_bytes(data[at + 5 : at + 7], "big")
