"""The poster in the sizes that pages use, as JPEG and as WebP."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.decoding.frame_capture import jpeg_size
from worker.media.errors import OutputDamaged
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, never
from worker.media.processes.runner import run_ffmpeg

# Widths in pixels.
SIZES = (320, 640, 1280)
# Output options of ffmpeg, by extension.
FORMS: dict[str, dict[str, Any]] = {
    "jpg": {"f": "mjpeg", "pix_fmt": "yuvj420p", "q:v": 5},
    "webp": {"f": "webp", "c:v": "libwebp", "pix_fmt": "yuv420p", "quality": 75},
}


@dataclass(frozen=True)
class PosterSize:
    """A poster file: the size it is for (a name: the picture may be smaller), its form (`jpg`, `webp`), its pixels."""

    size: int
    form: str
    path: Path
    width: int
    height: int


def write_poster_sizes(
    poster: Path, folder: Path, binaries: Binaries, *, should_stop: Callable[[], bool] = never
) -> list[PosterSize]:
    """Write the poster, a JPEG, in each of `poster_widths`. Raises what the runner raises."""
    own_size = jpeg_size(poster)
    sizes = [
        PosterSize(size, form, folder / f"poster-{size}.{form}", width, height)
        for size, (width, height) in poster_widths(*own_size).items()
        for form in FORMS
    ]
    picture = ffmpeg.input(str(poster.absolute()), f="mjpeg", protocol_whitelist="file", codec_whitelist="mjpeg")
    branches = picture["v:0"].split()
    outputs = [
        ffmpeg.output(
            branches[number].filter("scale", poster_size.width, poster_size.height),
            str(poster_size.path),
            **FORMS[poster_size.form],
            **{"frames:v": 1, "fflags": "+bitexact", "flags:v": "+bitexact"},
        )
        for number, poster_size in enumerate(sizes)
    ]
    budget = Budget(wall_seconds=60, file_bytes=16 * 1024 * 1024)
    run_ffmpeg(binaries, ffmpeg.get_args(ffmpeg.merge_outputs(*outputs)), budget=budget, should_stop=should_stop)
    empty = [
        poster_size.path.name
        for poster_size in sizes
        if not poster_size.path.is_file() or not poster_size.path.stat().st_size
    ]
    if empty:
        raise OutputDamaged(f"No picture was written: {', '.join(empty)}.")
    return sizes


def poster_widths(width: int, height: int) -> dict[int, tuple[int, int]]:
    """Width and height of the poster for each of SIZES, never enlarged, without duplicates."""
    sizes: dict[int, tuple[int, int]] = {}
    for size in SIZES:
        shown = min(size, width)
        sizes[size] = shown, max(2, round(height * shown / width / 2) * 2)
        if shown == width:
            break
    return sizes
