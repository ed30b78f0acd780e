"""The preview of a film: a small animated WebP of moments throughout it."""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ffmpeg

from worker.media.decoding.sampling import Film
from worker.media.errors import OutputDamaged
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, never
from worker.media.processes.runner import run_ffmpeg

# Pixels of the longer side, number of pictures, and pictures per second.
LONGER_SIDE, PICTURES, RATE = 320, 10, 2
# 0 is smallest, 100 best.
_QUALITY = 45


def preview_size(shown_size: tuple[int, int]) -> tuple[int, int]:
    """Width and height of the preview of a film with this display size: even, never enlarged."""
    scale = min(1.0, LONGER_SIDE / max(shown_size))
    width, height = (max(2, round(length * scale / 2) * 2) for length in shown_size)
    return width, height


def write_preview(film: Film, target: Path, binaries: Binaries, *, should_stop: Callable[[], bool] = never) -> None:
    """Write the preview of a film, from its key frames, or from all frames if those are too rare.

    Raises OutputDamaged when there is no frame that can be shown, and what the runner raises.
    """
    interval = max(1, math.ceil(film.duration_ms / PICTURES))
    size = preview_size((film.width, film.height))
    for keys_only in (True, False):
        sampled = film.sampled(interval, *size, keys_only=keys_only)
        budget = film.budget(keys_only=keys_only)
        run_ffmpeg(binaries, _arguments(sampled, target), budget=budget, should_stop=should_stop)
        if picture_count(target) >= PICTURES // 2:
            break
    _check(target)


def write_drawn_preview(
    pictures: Iterator[bytes | memoryview],
    size: tuple[int, int],
    target: Path,
    binaries: Binaries,
    *,
    should_stop: Callable[[], bool] = never,
) -> None:
    """Write a preview of these pictures (RGBA, of this size). Raises as `write_preview`."""
    options = {"f": "rawvideo", "pix_fmt": "rgba", "s": f"{size[0]}x{size[1]}", "r": RATE, "protocol_whitelist": "pipe"}
    drawn = ffmpeg.input("pipe:0", **options)["v:0"]
    run_ffmpeg(
        binaries, _arguments(drawn, target), budget=Budget(wall_seconds=60), should_stop=should_stop, fed=pictures
    )
    _check(target)


def _arguments(picture: Any, target: Path) -> list[str]:
    output = ffmpeg.output(
        picture.filter("setpts", f"N/{RATE}/TB"),
        str(target),
        f="webp",
        loop=0,
        pix_fmt="yuv420p",
        quality=_QUALITY,
        fps_mode="passthrough",
        **{"c:v": "libwebp_anim", "fflags": "+bitexact", "flags:v": "+bitexact"},
    )
    words: list[str] = ffmpeg.get_args(output)
    return words


def picture_count(webp: Path) -> int:
    """How many pictures a WebP has: its frames (`ANMF`), or 1 for a still (RIFF container of WebP)."""
    data = webp.read_bytes() if webp.is_file() else b""
    if data[:4] != b"RIFF" or data[8:12] != b"WEBP":
        return 0
    at, count = 12, 0
    while at + 8 <= len(data):
        kind, length = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        count += kind in (b"ANMF", b"VP8 ", b"VP8L")
        at += 8 + length + length % 2
    return count


def _check(target: Path) -> None:
    if not picture_count(target):
        raise OutputDamaged("The film has no frame that can be shown in a preview.")
