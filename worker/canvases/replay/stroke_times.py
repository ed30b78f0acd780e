"""Determines when each stroke was drawn, in wall-clock time, from the recorded times.

A client reports when the pen went down and up, if it can; the server records when the stroke arrived. Strokes without
times are placed between their neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.canvases.board import DrawnStroke
from worker.canvases.replay.pen_speed import natural_ms

# A client's clock is wrong when the pen went up after the stroke arrived, or more than a day before.
_EARLY_MS, _LATE_MS = 60_000, 24 * 3_600_000
# A longer stroke is not drawing time: the phone was asleep.
LONGEST_STROKE_MS = 60_000
# Strokes that arrived together are drawn up to this many times faster, to be finished when they arrived.
_MAX_HURRY = 4


@dataclass(frozen=True, slots=True)
class StrokeTimes:
    """A stroke of the board: the index of its page, its place in drawing order, and its start and end in ms."""

    page: int
    place: int
    drawn: DrawnStroke
    start: int
    end: int


@dataclass(slots=True)
class _KnownTimes:
    """The known times of a stroke: its end, and its start if that was recorded."""

    page: int
    place: int
    drawn: DrawnStroke
    end: int
    start: int | None


def place_strokes(pages: Sequence[Sequence[DrawnStroke]]) -> list[StrokeTimes]:
    """Start and end of every stroke, milliseconds since 1970, in the order of their ends."""
    known = sorted(_known_times(pages), key=lambda stroke: (stroke.end, stroke.page, stroke.place))
    placed: list[StrokeTimes] = []
    waiting: list[_KnownTimes] = []
    free: int | None = None
    for stroke in known:
        if waiting and (stroke.start is not None or stroke.end != waiting[0].end):
            placed += _lay_out(waiting, free)
            free, waiting = placed[-1].end if free is None else max(free, placed[-1].end), []
        if stroke.start is None:
            waiting.append(stroke)
        else:
            placed.append(StrokeTimes(stroke.page, stroke.place, stroke.drawn, stroke.start, stroke.end))
            free = stroke.end if free is None else max(free, stroke.end)
    if waiting:
        placed += _lay_out(waiting, free)
    return placed


def _known_times(pages: Sequence[Sequence[DrawnStroke]]) -> list[_KnownTimes]:
    """The known times of every stroke; one without any recorded time ends with the stroke before it."""
    intervals = [
        (page, place, drawn, _interval(drawn))
        for page, strokes in enumerate(pages)
        for place, drawn in enumerate(strokes)
    ]
    last = min((interval[1] for *_, interval in intervals if interval), default=0)
    known = []
    for page, place, drawn, interval in intervals:
        start, last = interval or (None, last)
        known.append(_KnownTimes(page, place, drawn, last, start))
    return known


def _interval(drawn: DrawnStroke) -> tuple[int | None, int] | None:
    """The start, if it is known, and the end; None when no time is known."""
    arrived, start, end = _ms(drawn.created_at), _ms(drawn.started_at), _ms(drawn.ended_at)
    if start is not None and end is None:
        end = start + natural_ms(drawn.shape)
    if end is None:
        return None if arrived is None else (None, arrived)
    if start is not None:
        start = min(end, max(start, end - LONGEST_STROKE_MS))
    if arrived is None or -_EARLY_MS <= arrived - end <= _LATE_MS:
        return start, end
    # The duration may be right even if the clock is wrong.
    return None if start is None else arrived - (end - start), arrived


def _lay_out(strokes: list[_KnownTimes], free: int | None) -> list[StrokeTimes]:
    """Place the strokes one after another: the last ends when they arrived, the first begins at `free` or later.

    When there is too little time they are drawn faster; when there is none they take their natural time and end late.
    """
    natural = [natural_ms(stroke.drawn.shape) for stroke in strokes]
    arrived, total = strokes[0].end, sum(natural)
    room = total if free is None else arrived - free
    duration = min(total, max(room, total // _MAX_HURRY)) if room > 0 else total
    at = arrived - duration if free is None else max(free, arrived - duration)
    placed, passed = [], 0
    for stroke, length in zip(strokes, natural, strict=True):
        start = at + passed * duration // total
        passed += length
        placed.append(StrokeTimes(stroke.page, stroke.place, stroke.drawn, start, at + passed * duration // total))
    return placed


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.timestamp() * 1000)
