"""Writes a replay as a film: 1280x720, H.264, drawn stroke by stroke.

A frame is rendered only when something has changed, and is shown until the next one. Each frame shows exactly what the
timeline contains at its time.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import ffmpeg

from worker.canvases.replay.frame_canvas import HEIGHT, WIDTH
from worker.canvases.replay.i420 import Pixels
from worker.canvases.replay.incremental_page import IncrementalPage
from worker.canvases.replay.timeline import ReplayTimeline, TimedStroke
from worker.errors import InvalidInput
from worker.media.films.matroska_pipe import stream
from worker.media.films.mix import VOICE, Sound, mixed_sounds
from worker.media.processes.binaries import Binaries
from worker.media.processes.budget import Budget, memory_for, never
from worker.media.processes.runner import run_ffmpeg
from worker.media.whole_files import removed_on_failure

# Ten frames a second are enough for hand movements; twice as many cost twice as much and look the same.
TICK_MS = 100
# When nothing changes there is still a frame at this interval, and every second one is a key frame for seeking.
HOLD_MS = 5000
KEY_SECONDS = 10
# Pages that are no longer shown are cached in memory, 9 MB each.
_MAX_RECENT_PAGES = 8
# The output is deterministic: no encoder version in the file, and the same number of threads on every machine.
_SAME_BYTES = {"fflags": "+bitexact", "flags:v": "+bitexact", "map_metadata": "-1", "threads": 2}
_ENCODING = {
    "c:v": "libx264",
    # superfast takes one and a half times as long as ultrafast, for files of half the size.
    "preset": "superfast",
    "crf": 25,
    # A board is static except for the pen, so lookahead gains nothing. Without B-frames, timestamps need no reordering.
    "x264-params": "bframes=0:weightp=0:scenecut=0:rc-lookahead=0:mbtree=0",
    "pix_fmt": "yuv420p",
    "force_key_frames": f"expr:gte(t,n_forced*{KEY_SECONDS})",
    "fps_mode": "passthrough",
}


class ReplayTooLong(InvalidInput):
    """The replay would last longer than a recording may."""

    code, title = "replay-too-long", "The replay would be too long"


def write_film(
    timeline: ReplayTimeline,
    target: Path,
    binaries: Binaries,
    *,
    sounds: Sequence[Sound] = (),
    max_seconds: float = 6 * 3600,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write the replay to `target` as MP4, with these sounds; the bytes are deterministic.

    `on_progress` receives the seconds of film written. Raises ReplayTooLong, EngineMissing, BadImage and the errors of
    the runner; then `target` is deleted.
    """
    seconds = timeline.duration_ms / 1000
    if seconds > max_seconds:
        raise ReplayTooLong(
            f"The replay would last {seconds / 3600:.1f} hours; at most {max_seconds / 3600:g} are filmed."
            " Ask for it with shorten_idle, which leaves out the time in which nothing happens."
        )
    frames = stream(frames_of(timeline), WIDTH, HEIGHT, TICK_MS)
    sound = mixed_sounds(sounds, binaries, should_stop=should_stop) if sounds else None
    with removed_on_failure(target):
        run_ffmpeg(
            binaries,
            _arguments(target, sound),
            budget=Budget(
                wall_seconds=120 + seconds,
                stall_seconds=60,
                memory_bytes=memory_for(len(sounds)),
                file_bytes=_most_bytes(seconds),
            ),
            should_stop=should_stop,
            on_progress=on_progress,
            fed=frames,
        )


def frames_of(timeline: ReplayTimeline) -> Iterator[tuple[int, Pixels]]:
    """The frames of the film: milliseconds, and the planes of the image, whose memory the next frame may overwrite."""
    pages = _IncrementalPages(timeline)
    shown: IncrementalPage | None = None
    for at in _ticks(timeline):
        page = pages.of(timeline.page_at(at))
        changed = page.advance(at)
        if changed or page is not shown or at % HOLD_MS == 0 or at == _last_tick(timeline):
            yield at, page.picture.planes
        shown = page


def _last_tick(timeline: ReplayTimeline) -> int:
    return max(0, (timeline.duration_ms - 1) // TICK_MS * TICK_MS)


def _ticks(timeline: ReplayTimeline) -> Iterator[int]:
    """The times at which a frame may be due, in order: all at which a stroke grows, none while nothing changes."""
    last = _last_tick(timeline)
    moments = {*range(0, last + 1, HOLD_MS), last, *(_tick(turn.at) for turn in timeline.turns)}
    for stroke in timeline.strokes:
        moments.update(range(_tick(stroke.start), _tick(stroke.end) + 1, TICK_MS))
        if stroke.removed_at is not None:
            moments.add(_tick(stroke.removed_at))
    return iter(sorted(at for at in moments if 0 <= at <= last))


def _tick(at: int) -> int:
    """The first tick at which a change at this time is visible."""
    return -(-at // TICK_MS) * TICK_MS


class _IncrementalPages:
    """A cache of the pages that were shown last."""

    def __init__(self, timeline: ReplayTimeline) -> None:
        self._timeline = timeline
        self._strokes: dict[int, list[TimedStroke]] = {}
        for stroke in timeline.strokes:
            self._strokes.setdefault(stroke.page, []).append(stroke)
        self._recent: OrderedDict[int, IncrementalPage] = OrderedDict()

    def of(self, index: int) -> IncrementalPage:
        """The page with this index, in its last state when it is cached, else new."""
        page = self._recent.pop(index, None) or IncrementalPage(
            self._timeline.pages[index], self._strokes.get(index, ())
        )
        self._recent[index] = page
        if len(self._recent) > _MAX_RECENT_PAGES:
            self._recent.popitem(last=False)
        return page


def _arguments(target: Path, sound: Any) -> list[str]:
    frames = ffmpeg.input(
        "pipe:0",
        f="matroska",
        protocol_whitelist="pipe",
        format_whitelist="matroska",
        codec_whitelist="rawvideo",
    )
    tracks = [frames["v:0"], *([] if sound is None else [sound])]
    options = {**_ENCODING, **({} if sound is None else VOICE), **_SAME_BYTES}
    output = ffmpeg.output(*tracks, str(target.absolute()), f="mp4", **options)
    words: list[str] = ffmpeg.get_args(output)
    return words


def _most_bytes(seconds: float) -> int:
    """The size limit of the file, far above what a board needs: a megabit per second."""
    return 64 * 1024 * 1024 + round(seconds) * 125_000
