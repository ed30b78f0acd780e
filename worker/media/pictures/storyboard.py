"""The storyboard of a film: sheets of small pictures throughout it, made from key frames."""

import math
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import ffmpeg

from worker.media.decoding.decoder import frame_times
from worker.media.decoding.frame_capture import jpeg_size
from worker.media.decoding.sampling import Film
from worker.media.errors import OutputDamaged
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import never
from worker.media.processes.runner import run_ffmpeg

COLUMNS, MAX_ROWS = 10, 10
# Pixels of the longer side of a tile.
LONGER_SIDE = 160
# About a hundred tiles, each for at least two seconds and at most a minute.
_WANTED = 100
_SHORTEST_MS, _LONGEST_MS = 2000, 60_000
# If there are fewer key frames than this share of the intervals, all frames are decoded.
_ENOUGH = 0.8
# 2 is best, 31 worst: a hundred tiles of a lesson are 100 to 200 KB.
_QUALITY = 8


@dataclass(frozen=True)
class StoryboardPlan:
    """The interval of the tiles and their size; a sheet has COLUMNS tiles in each of `rows` rows."""

    interval_ms: int
    width: int
    height: int
    rows: int

    @property
    def tiles_per_sheet(self) -> int:
        """How many tiles a sheet has; the last one may have fewer."""
        return COLUMNS * self.rows


@dataclass(frozen=True)
class Sheet:
    """A JPEG of tiles, row by row from the top left, and the moment that each shows."""

    path: Path
    times_ms: tuple[int, ...]
    width: int
    height: int


def plan_storyboard(duration_ms: int, shown_size: tuple[int, int]) -> StoryboardPlan:
    """The plan for a film of this length and display size."""
    interval = min(_LONGEST_MS, max(_SHORTEST_MS, math.ceil(duration_ms / _WANTED / 1000) * 1000))
    width, height = shown_size
    scale = LONGER_SIDE / max(width, height)
    tiles = max(1, math.ceil(duration_ms / interval))
    rows = min(MAX_ROWS, math.ceil(tiles / COLUMNS))
    return StoryboardPlan(interval, _even(width * scale), _even(height * scale), rows)


def write_storyboard(
    film: Film, folder: Path, plan: StoryboardPlan, binaries: Binaries, *, should_stop: Callable[[], bool] = never
) -> list[Sheet]:
    """Write the sheets of a film into the folder, from its key frames, or from all frames if those are too rare.

    Raises OutputDamaged when there is no frame that can be shown, and what the runner raises.
    """
    wanted = math.ceil(film.duration_ms / plan.interval_ms)
    for keys_only in (True, False):
        own = Path(tempfile.mkdtemp(dir=folder, prefix=".storyboard-"))
        times = _decode(film, own, plan, binaries, keys_only, should_stop)
        if len(times) >= _ENOUGH * wanted:
            break
    if not times:
        raise OutputDamaged("The film has no frame that can be shown.")
    return _sheets(own, plan, times)


def _decode(
    film: Film, folder: Path, plan: StoryboardPlan, binaries: Binaries, keys_only: bool, should_stop: Callable[[], bool]
) -> list[int]:
    """Write sheets into the folder; returns the times of their tiles in milliseconds."""
    listing = folder / "times"
    sampled = film.sampled(plan.interval_ms, plan.width, plan.height, keys_only=keys_only).split()
    as_they_come = {"fps_mode": "passthrough", "fflags": "+bitexact", "flags:v": "+bitexact"}
    sheets = ffmpeg.output(
        sampled[0].filter("tile", f"{COLUMNS}x{plan.rows}"),
        str(folder / "%d.jpg"),
        f="image2",
        pix_fmt="yuvj420p",
        **{"q:v": _QUALITY},
        **as_they_come,
    )
    times = ffmpeg.output(sampled[1], str(listing), f="framecrc", enc_time_base="demux", copyts=None, **as_they_come)
    run_ffmpeg(
        binaries,
        ffmpeg.get_args(ffmpeg.merge_outputs(sheets, times)),
        budget=film.budget(keys_only=keys_only),
        should_stop=should_stop,
    )
    return [round(at * 1000) for at in frame_times(listing.read_text("ascii", "replace").splitlines())]


def _sheets(folder: Path, plan: StoryboardPlan, times: list[int]) -> list[Sheet]:
    size = COLUMNS * plan.width, plan.rows * plan.height
    sheets = []
    for number, first in enumerate(range(0, len(times), plan.tiles_per_sheet), start=1):
        path = folder / f"{number}.jpg"
        if not path.is_file() or jpeg_size(path) != size:
            raise OutputDamaged(f"Sheet {number} of the storyboard is not a picture of {size[0]}x{size[1]}.")
        sheets.append(Sheet(path, tuple(times[first : first + plan.tiles_per_sheet]), *size))
    return sheets


def _even(length: float) -> int:
    return max(2, round(length / 2) * 2)
