"""Build the timeline of a replay from a board and its page turns. Pure."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from worker.canvases.board import DrawnBoard
from worker.canvases.replay.recorded_clock import RecordedClock
from worker.canvases.replay.replay_clock import ReplayClock, Stretch, join_stretches
from worker.canvases.replay.stroke_times import StrokeTimes, place_strokes
from worker.canvases.replay.timeline import (
    PageShown,
    PlacedVoice,
    RecordedVoice,
    ReplayTimeline,
    TimedStroke,
    Turn,
)
from worker.errors import Conflict


class NothingDrawn(Conflict):
    """The board has no stroke that can be drawn."""

    code, title = "nothing-drawn", "Nothing was drawn"


def build_timeline(
    board: DrawnBoard,
    *,
    turns: Sequence[PageShown] = (),
    shorten_idle: bool = False,
    until: datetime | None = None,
    voices: Sequence[RecordedVoice] = (),
    shows_pages: bool = False,
) -> ReplayTimeline:
    """The replay of a board, with these voices. Raises NothingDrawn, except for voices with `shows_pages`.

    With voices the film runs while they were recorded (recorded_clock.py), and `shorten_idle` changes nothing.

    Before the first of `turns`, the page of the stroke being drawn is shown. Page turns and deletions after `until` are
    ignored. A stroke that was deleted before its start is never visible.
    """
    strokes = place_strokes([page.drawn for page in board.pages])
    if not strokes and not (voices and shows_pages):
        raise NothingDrawn("Nothing was drawn on this board, so there is nothing to replay.")
    close = None if until is None else round(until.timestamp() * 1000)
    removals = {_key(stroke): _removed_at(stroke, close) for stroke in strokes}
    shown = _turns(strokes, turns, close)
    if voices:
        clock: ReplayClock | RecordedClock = (recorded := _voices_clock(strokes, voices))
        shown = [turn for turn in shown if turn[0] <= recorded.end]
    else:
        busy = _busy(strokes, [*removals.values(), *(at for at, _page in shown)])
        clock = ReplayClock(busy, shorten_idle=shorten_idle)
    timed = [_timed(stroke, clock, removals[_key(stroke)]) for stroke in strokes]
    return ReplayTimeline(
        title=board.title,
        pages=board.pages,
        strokes=tuple(sorted(timed, key=lambda stroke: (stroke.start, stroke.end, stroke.page, stroke.place))),
        turns=_on_film(shown, clock),
        duration_ms=clock.duration_ms,
        # When no time was recorded at all, the strokes begin at 0, which is no date.
        started_at=datetime.fromtimestamp(clock.begin / 1000, UTC) if clock.begin > 0 else None,
        voices=_placed(voices, clock),
    )


def _voices_clock(strokes: Sequence[StrokeTimes], voices: Sequence[RecordedVoice]) -> RecordedClock:
    return RecordedClock(
        [stretch.interval for voice in voices for stretch in voice.stretches],
        [(stroke.start, stroke.end) for stroke in strokes],
    )


def _placed(voices: Sequence[RecordedVoice], clock: ReplayClock | RecordedClock) -> tuple[PlacedVoice, ...]:
    if not isinstance(clock, RecordedClock):
        return ()
    return tuple(PlacedVoice(voice.recording_id, clock.place(voice.stretches)) for voice in voices)


def _timed(stroke: StrokeTimes, clock: ReplayClock | RecordedClock, removed_at: int | None) -> TimedStroke:
    start, end = clock.film(stroke.start), clock.film(stroke.end)
    return TimedStroke(stroke.page, stroke.place, stroke.drawn.shape, start, end, clock.at(removed_at))


_WallTurn = tuple[int, int]


def _key(stroke: StrokeTimes) -> tuple[int, int]:
    return stroke.page, stroke.place


def _removed_at(stroke: StrokeTimes, close: int | None) -> int | None:
    if stroke.drawn.deleted_at is None:
        return None
    removed_at = round(stroke.drawn.deleted_at.timestamp() * 1000)
    return None if close is not None and removed_at > close else removed_at


def _turns(strokes: Sequence[StrokeTimes], turns: Sequence[PageShown], close: int | None) -> list[_WallTurn]:
    """The (instant, page) of every turn, in order."""
    stored = sorted((round(turn.at.timestamp() * 1000), turn.page) for turn in turns)
    stored = [turn for turn in stored if close is None or turn[0] <= close]
    first = stored[0][0] if stored else None
    drawn = ((stroke.start, stroke.page) for stroke in strokes if first is None or stroke.start < first)
    changes: list[_WallTurn] = []
    for turn in [*sorted(drawn), *stored]:
        if not changes or changes[-1][1] != turn[1]:
            changes.append(turn)
    return changes


def _busy(strokes: Sequence[StrokeTimes], moments: Iterable[int | None]) -> list[Stretch]:
    """The intervals in which something changes, ignoring changes before the first stroke."""
    begin = min(stroke.start for stroke in strokes)
    changes = [(at, at) for at in moments if at is not None and at >= begin]
    return join_stretches([*((stroke.start, stroke.end) for stroke in strokes), *changes])


def _on_film(turns: Sequence[_WallTurn], clock: ReplayClock | RecordedClock) -> tuple[Turn, ...]:
    """The turns of the film, which begins with the last page turned to before its beginning, or with the first page."""
    before: list[Turn] = []
    after: list[Turn] = []
    for at, page in turns:
        moment = clock.film(at)
        (before if moment <= 0 or not (before or after) else after).append(Turn(max(0, moment), page))
    return (Turn(0, before[-1].page if before else 0), *after)
