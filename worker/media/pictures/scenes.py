"""Find the scene changes of a film, and those that begin a chapter."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import ffmpeg
import numpy as np
from numpy.typing import NDArray

from worker.media.decoding.decoder import frame_times
from worker.media.decoding.sampling import Film
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never
from worker.media.processes.runner import run_ffmpeg

# No chapter is shorter, so a film shorter than two of them has none.
MIN_CHAPTER_MS = 30_000
# A chapter begins in a silence at most this far from its scene change.
_SNAP_MS = 3000
_STEP_MS = 1000
# Pixels of the longer side of what is compared.
_LONGER_SIDE = 64
# If there are fewer key frames than this share of the seconds, all frames are decoded.
_ENOUGH = 0.4
# A scene change is a mean brightness difference (0-255) of at least this, and this many times the film's usual
# movement.
_MIN_CHANGE, _UNUSUAL = 8.0, 4.0

Stretch = tuple[int, int]


@dataclass(frozen=True, slots=True)
class SceneChange:
    """A picture at `at` milliseconds that differs from those before it, and by how much (0-255)."""

    at: int
    change: float


def find_scene_changes(
    film: Film, folder: Path, binaries: Binaries, *, should_stop: Callable[[], bool] = never
) -> list[SceneChange]:
    """The scene changes of a film, from about one frame per second. Raises what the runner raises."""
    for keys_only in (True, False):
        times, frames = _decode(film, folder, binaries, keys_only, should_stop)
        if len(times) >= _ENOUGH * film.duration_ms / _STEP_MS:
            break
    return scene_changes(times, frames)


def _decode(
    film: Film, folder: Path, binaries: Binaries, keys_only: bool, should_stop: Callable[[], bool]
) -> tuple[list[int], NDArray[np.uint8]]:
    width, height = _compared_size(film)
    pixels, listing = folder / "scenes", folder / "scene-times"
    sampled = film.sampled(_STEP_MS, width, height, keys_only=keys_only).split()
    raw = ffmpeg.output(sampled[0], str(pixels), f="rawvideo", pix_fmt="gray", fps_mode="passthrough")
    times = ffmpeg.output(
        sampled[1], str(listing), f="framecrc", fps_mode="passthrough", enc_time_base="demux", copyts=None
    )
    run_ffmpeg(
        binaries,
        ffmpeg.get_args(ffmpeg.merge_outputs(raw, times)),
        budget=film.budget(keys_only=keys_only),
        should_stop=should_stop,
    )
    known = [round(at * 1000) for at in frame_times(listing.read_text("ascii", "replace").splitlines())]
    frames = np.fromfile(pixels, np.uint8)
    count = min(len(known), len(frames) // (width * height))
    return known[:count], frames[: count * width * height].reshape(count, -1)


def _compared_size(film: Film) -> tuple[int, int]:
    share = _LONGER_SIDE / max(film.width, film.height)
    width, height = (max(2, round(length * share / 2) * 2) for length in (film.width, film.height))
    return width, height


def scene_changes(times: Sequence[int], frames: NDArray[np.uint8]) -> list[SceneChange]:
    """The scene changes among these frames: the picture before differs from the one after, and the difference lasts.

    A flash, or somebody who walks by, is not one.
    """
    if len(times) < 4:
        return []
    pictures = frames.astype(np.int16)
    at_once = np.abs(pictures[2:-1] - pictures[1:-2]).mean(axis=1)
    lasting = np.abs(pictures[3:] - pictures[:-3]).mean(axis=1)
    changes = np.minimum(at_once, lasting)
    threshold = max(_MIN_CHANGE, _UNUSUAL * float(np.median(changes)))
    return [
        SceneChange(at, float(change)) for at, change in zip(times[2:-1], changes, strict=True) if change > threshold
    ]


def chapter_starts(changes: Sequence[SceneChange], silences: Sequence[Stretch] | None, duration_ms: int) -> list[int]:
    """Where chapters begin, in milliseconds: at the strongest scene changes, each moved into a silence near it.

    None is shorter than MIN_CHAPTER_MS. A change in the middle of speech begins none. `silences` is None where there
    is no sound. Empty when there would be only one chapter: a film is never cut into parts of equal length.
    """
    starts = [0]
    if duration_ms < 2 * MIN_CHAPTER_MS:
        return []
    for change in sorted(changes, key=lambda scene: (-scene.change, scene.at)):
        at = change.at if silences is None else _nearest(change.at, silences)
        if at is None or at > duration_ms - MIN_CHAPTER_MS:
            continue
        if all(abs(at - start) >= MIN_CHAPTER_MS for start in starts):
            starts.append(at)
    return sorted(starts) if len(starts) > 1 else []


def _nearest(at: int, silences: Sequence[Stretch]) -> int | None:
    """The moment nearest to `at` within a silence; None when that is too far."""
    moments = [min(max(at, start), end) for start, end in silences]
    best = min(moments, key=lambda moment: abs(moment - at), default=None)
    return best if best is not None and abs(best - at) <= _SNAP_MS else None
