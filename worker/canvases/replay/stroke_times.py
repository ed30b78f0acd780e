"""When each stroke was drawn, by the clock on the wall, from what was noted of it.

A client says when the pen went down and up, if it can; the server says when the stroke arrived. Strokes without times
of their own lie between their neighbours.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from worker.canvases.replay.pen_speed import natural_ms
from worker.canvases.stored.pages import Drawn

# A client whose pen went up after its stroke arrived, or a day before, has a clock that is wrong.
_EARLY_MS, _LATE_MS = 60_000, 24 * 3_600_000
# Nobody's pen stays down longer; a phone that slept did.
LONGEST_STROKE_MS = 60_000
# Strokes that arrived together are drawn up to so many times faster than a hand, to be there when they arrived.
_MOST_HURRY = 4


@dataclass(frozen=True, slots=True)
class StrokeTimes:
    """A stroke of the board: the index of its page, its place in the drawing order, and start to end in ms."""

    page: int
    place: int
    drawn: Drawn
    start: int
    end: int


@dataclass(slots=True)
class _Noted:
    """What is known of a stroke: when it ended, and when it began if anybody noted that."""

    page: int
    place: int
    drawn: Drawn
    end: int
    start: int | None


def place_strokes(pages: Sequence[Sequence[Drawn]]) -> list[StrokeTimes]:
    """Start and end of every stroke, milliseconds since 1970, in the order of their ends."""
    noted = sorted(_note(pages), key=lambda one: (one.end, one.page, one.place))
    placed: list[StrokeTimes] = []
    waiting: list[_Noted] = []
    free: int | None = None
    for one in noted:
        if waiting and (one.start is not None or one.end != waiting[0].end):
            placed += _lay_out(waiting, free)
            free, waiting = placed[-1].end if free is None else max(free, placed[-1].end), []
        if one.start is None:
            waiting.append(one)
        else:
            placed.append(StrokeTimes(one.page, one.place, one.drawn, one.start, one.end))
            free = one.end if free is None else max(free, one.end)
    if waiting:
        placed += _lay_out(waiting, free)
    return placed


def _note(pages: Sequence[Sequence[Drawn]]) -> list[_Noted]:
    """Every stroke; one that nobody noted anything of comes right after the one before it."""
    found = [
        (page, place, drawn, _interval(drawn))
        for page, strokes in enumerate(pages)
        for place, drawn in enumerate(strokes)
    ]
    last = min((interval[1] for *_, interval in found if interval), default=0)
    noted = []
    for page, place, drawn, interval in found:
        start, last = interval or (None, last)
        noted.append(_Noted(page, place, drawn, last, start))
    return noted


def _interval(drawn: Drawn) -> tuple[int | None, int] | None:
    """Start, if it is known, and end; None when nothing is known."""
    arrived, start, end = _ms(drawn.created_at), _ms(drawn.started_at), _ms(drawn.ended_at)
    if start is not None and end is None:
        end = start + natural_ms(drawn.figure)
    if end is None:
        return None if arrived is None else (None, arrived)
    if start is not None:
        start = min(end, max(start, end - LONGEST_STROKE_MS))
    if arrived is None or -_EARLY_MS <= arrived - end <= _LATE_MS:
        return start, end
    # How long it took may be true all the same.
    return None if start is None else arrived - (end - start), arrived


def _lay_out(strokes: list[_Noted], free: int | None) -> list[StrokeTimes]:
    """One after another, so that the last ends when they arrived, and the first begins when the board is free.

    Where there is too little time they hurry; where there is none at all they take it, and end late.
    """
    natural = [natural_ms(one.drawn.figure) for one in strokes]
    arrived, total = strokes[0].end, sum(natural)
    room = total if free is None else arrived - free
    taken = min(total, max(room, total // _MOST_HURRY)) if room > 0 else total
    at = arrived - taken if free is None else max(free, arrived - taken)
    placed, passed = [], 0
    for one, length in zip(strokes, natural, strict=True):
        start = at + passed * taken // total
        passed += length
        placed.append(StrokeTimes(one.page, one.place, one.drawn, start, at + passed * taken // total))
    return placed


def _ms(instant: datetime | None) -> int | None:
    return None if instant is None else round(instant.timestamp() * 1000)
