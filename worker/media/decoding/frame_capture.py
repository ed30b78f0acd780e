"""Take one frame of a recording as a JPEG, with a measure of its contrast."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.decoding.colours import still_colours
from worker.media.decoding.contrast import THUMBNAIL_OPTIONS, thumbnail, variances
from worker.media.decoding.transparency import alpha_decoder, on_white
from worker.media.errors import FfmpegFailed, FfmpegTimeout
from worker.media.limits import Demuxer, Limits, input_options
from worker.media.probing.streams import VideoStream
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget
from worker.media.processes.runner import run_ffmpeg

MAX_WIDTH = 1280
# 2 is best, 31 worst; 4 makes 60 to 150 KB of a 1280-pixel board.
_QUALITY = 4
# The most frames to decode to reach a moment exactly; beyond that, the key frame before it is used.
_EXACT_SEEK_FRAMES = 900


@dataclass(frozen=True)
class CapturedFrame:
    """A JPEG of the frame at `at_ms`, and the variance of its brightness."""

    path: Path
    at_ms: int
    variance: float


@dataclass(frozen=True)
class FramePosition:
    """The frame to take: the one at `at_ms`, or with `next_key` the first key frame from there."""

    playable: Path
    demuxer: Demuxer
    video: VideoStream
    at_ms: int
    next_key: bool
    limits: Limits


def capture_frame(
    frame: FramePosition, folder: Path, binaries: Binaries, should_stop: Callable[[], bool]
) -> CapturedFrame | None:
    """Decode one frame into a JPEG and a thumbnail of its brightness; None when there is no frame."""
    jpeg, luma = folder / f"{frame.at_ms}.jpg", folder / f"{frame.at_ms}.luma"
    budget = Budget(wall_seconds=30, file_bytes=64 * 1024 * 1024)
    try:
        run_ffmpeg(binaries, _arguments(frame, jpeg, luma), budget=budget, should_stop=should_stop)
    except (FfmpegFailed, FfmpegTimeout):
        return None  # this part of the recording is broken; another moment may work
    measured = variances(luma.read_bytes()) if luma.exists() else []
    return CapturedFrame(jpeg, frame.at_ms, measured[0]) if measured and jpeg.exists() else None


def _arguments(frame: FramePosition, jpeg: Path, luma: Path) -> list[str]:
    options: dict[str, Any] = {**input_options(frame.demuxer, frame.limits), "threads": 1}
    options["ss"] = f"{frame.at_ms / 1000:.3f}"
    if frame.next_key:
        options["bsf:v"] = "noise=drop=not(key)"
    elif frame.video.frame_rate * frame.video.max_key_interval_ms / 1000 > _EXACT_SEEK_FRAMES:
        options["noaccurate_seek"] = None
    decoder = alpha_decoder(frame.video.codec, alpha=frame.video.alpha)
    picture = ffmpeg.input(str(frame.playable.absolute()), **options, **decoder)["v:0"]
    if decoder:
        picture = on_white(picture)
    # Square pixels first, then the width; no side may become 0.
    picture = (
        picture.filter("scale", "max(2,trunc(iw*sar/2)*2)", "max(2,trunc(ih/2)*2)")
        .filter("setsar", "1")
        .filter("scale", f"min({MAX_WIDTH},iw)", "-2", **still_colours(frame.video.color_space, frame.video.height))
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
