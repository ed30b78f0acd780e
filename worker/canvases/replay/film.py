"""A replay as a film: 1280x720, H.264, drawn stroke by stroke.

A frame is made only when something has changed, and is shown until the next one. At the moment of each frame it holds
exactly what the timeline says.
"""

from collections import OrderedDict
from collections.abc import Callable, Iterator
from pathlib import Path

import ffmpeg

from worker.canvases.replay.frame_canvas import HEIGHT, WIDTH
from worker.canvases.replay.i420 import Pixels
from worker.canvases.replay.incremental_page import IncrementalPage
from worker.canvases.replay.timeline import ReplayTimeline, TimedStroke
from worker.errors import InvalidInput
from worker.media.binaries import Binaries
from worker.media.matroska_pipe import stream
from worker.media.runner import Budget, never, run_ffmpeg

# Ten pictures a second follow a hand; twice as many cost twice as much and look the same.
TICK_MS = 100
# Also when nothing changes there is a frame every so often, and every second of these can be sought.
HOLD_MS = 5000
KEY_SECONDS = 10
# Pages that were turned away from wait in memory, 9 MB each.
_MOST_RECENT_PAGES = 8
# The same strokes give the same bytes: no version of the encoder, and as many threads on every machine.
_SAME_BYTES = {"fflags": "+bitexact", "flags:v": "+bitexact", "map_metadata": "-1", "threads": 2}
_ENCODING = {
    "c:v": "libx264",
    # Superfast costs one and a half times as much as ultrafast and makes files of half the size.
    "preset": "superfast",
    "crf": 25,
    # A board is still but for a pen: looking ahead finds nothing. Without reordered frames times are as they are.
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
    max_seconds: float = 6 * 3600,
    should_stop: Callable[[], bool] = never,
    on_progress: Callable[[float], None] | None = None,
) -> None:
    """Write the replay to `target` as MP4; the same timeline always as the same bytes.

    `on_progress` gets seconds of the film. Raises ReplayTooLong, EngineMissing, BadImage and what the runner raises;
    then nothing is left behind.
    """
    seconds = timeline.duration_ms / 1000
    if seconds > max_seconds:
        raise ReplayTooLong(
            f"The replay would last {seconds / 3600:.1f} hours; at most {max_seconds / 3600:g} are filmed."
            " Ask for it with shorten_idle, which leaves out the time in which nothing happens."
        )
    frames = stream(frames_of(timeline), WIDTH, HEIGHT, TICK_MS)
    try:
        run_ffmpeg(
            binaries,
            _arguments(target),
            budget=Budget(wall_seconds=120 + seconds, stall_seconds=60, file_bytes=_most_bytes(seconds)),
            should_stop=should_stop,
            on_progress=on_progress,
            fed=frames,
        )
    except BaseException:
        target.unlink(missing_ok=True)
        raise


def frames_of(timeline: ReplayTimeline) -> Iterator[tuple[int, Pixels]]:
    """The frames of the film: milliseconds, and the planes of the picture, whose memory the next frame may use."""
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
    """Moments at which a frame may be due, in order: all in which a stroke grows, none of those in between."""
    last = _last_tick(timeline)
    moments = {*range(0, last + 1, HOLD_MS), last, *(_tick(turn.at) for turn in timeline.turns)}
    for stroke in timeline.strokes:
        moments.update(range(_tick(stroke.start), _tick(stroke.end) + 1, TICK_MS))
        if stroke.removed_at is not None:
            moments.add(_tick(stroke.removed_at))
    return iter(sorted(at for at in moments if 0 <= at <= last))


def _tick(at: int) -> int:
    """The first tick at which a change at this moment is to be seen."""
    return -(-at // TICK_MS) * TICK_MS


class _IncrementalPages:
    """The stages of the pages that were shown last."""

    def __init__(self, timeline: ReplayTimeline) -> None:
        self._timeline = timeline
        self._strokes: dict[int, list[TimedStroke]] = {}
        for stroke in timeline.strokes:
            self._strokes.setdefault(stroke.page, []).append(stroke)
        self._recent: OrderedDict[int, IncrementalPage] = OrderedDict()

    def of(self, index: int) -> IncrementalPage:
        """The stage of that page, as it was left, or new."""
        page = self._recent.pop(index, None) or IncrementalPage(
            self._timeline.pages[index], self._strokes.get(index, ())
        )
        self._recent[index] = page
        if len(self._recent) > _MOST_RECENT_PAGES:
            self._recent.popitem(last=False)
        return page


def _arguments(target: Path) -> list[str]:
    frames = ffmpeg.input(
        "pipe:0",
        f="matroska",
        protocol_whitelist="pipe",
        format_whitelist="matroska",
        codec_whitelist="rawvideo",
    )
    output = ffmpeg.output(frames["v:0"], str(target.absolute()), f="mp4", **_ENCODING, **_SAME_BYTES)
    words: list[str] = ffmpeg.get_args(output)
    return words


def _most_bytes(seconds: float) -> int:
    """Far more than a board ever takes: a megabit a second."""
    return 64 * 1024 * 1024 + round(seconds) * 125_000
