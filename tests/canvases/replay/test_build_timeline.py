"""When each stroke of a board is visible, according to its recorded times."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.canvases.board import DrawnBoard
from worker.canvases.replay.build_timeline import NothingDrawn, build_timeline
from worker.canvases.replay.timeline import PageShown, RecordedVoice, ReplayTimeline
from worker.canvases.stored.pages import read_board
from worker.media.probing.recorded_time import RecordedStretch

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def pen(order: int = 1, length: float = 70, **times: float) -> dict[str, Any]:
    """A stroke; its times are seconds from BEGIN."""
    return {
        "stroke_type": "pen",
        "stroke_order": order,
        "stroke_data": {"points": [[0, order], [length, order]]},
        **{name: at(seconds) for name, seconds in times.items()},
    }


def board(*pages: list[dict[str, Any]]) -> DrawnBoard:
    return read_board({"pages": [{"strokes": strokes} for strokes in pages]})


def spans(timeline: ReplayTimeline) -> list[tuple[int, int]]:
    return [(stroke.start, stroke.end) for stroke in timeline.strokes]


def test_a_stroke_takes_the_time_its_client_noted() -> None:
    timeline = build_timeline(board([pen(started_at=0, ended_at=2, created_at=2.1)]))
    assert spans(timeline) == [(1000, 3000)]
    assert timeline.duration_ms == 5000
    assert timeline.started_at == at(-1)


def test_strokes_of_two_people_overlap() -> None:
    timeline = build_timeline(
        board([pen(1, started_at=1, ended_at=3, created_at=3), pen(2, started_at=0, ended_at=4, created_at=4)])
    )
    assert spans(timeline) == [(1000, 5000), (2000, 4000)]
    assert [len(timeline.shapes_at(moment, 0)) for moment in (1000, 1500, 2500, 4500)] == [0, 1, 2, 2]


def test_a_stroke_without_times_ends_when_it_arrived_and_begins_when_the_one_before_was_done() -> None:
    timeline = build_timeline(board([pen(1, created_at=0), pen(2, length=1400, created_at=0.5), pen(3, created_at=60)]))
    (_, first), (start, end), (last_start, last_end) = spans(timeline)
    assert (start - first, end - first) == (0, 500)
    # A short line takes a moment, not the minute since the one before it.
    assert (last_end - first, last_end - last_start) == (60_000, 150)


def test_a_batch_that_arrived_at_once_is_drawn_one_after_another() -> None:
    timeline = build_timeline(board([pen(order, length=700, created_at=10) for order in range(1, 5)]))
    assert [start for start, _ in spans(timeline)] == [1000, 2000, 3000, 4000]
    assert spans(timeline)[-1][1] == 5000


def test_strokes_without_any_time_follow_each_other_page_by_page() -> None:
    timeline = build_timeline(board([pen(1), pen(2)], [pen(1)]))
    assert [(stroke.page, stroke.place) for stroke in timeline.strokes] == [(0, 0), (0, 1), (1, 0)]
    starts = [start for start, _ in spans(timeline)]
    assert starts == sorted(set(starts))
    assert timeline.started_at is None


@pytest.mark.parametrize("hours", [5, -30])
def test_a_clock_that_is_wrong_is_not_believed(hours: float) -> None:
    """How long the stroke took is believed all the same."""
    wrong = hours * 3600
    timeline = build_timeline(
        board(
            [pen(1, started_at=0, ended_at=1, created_at=1), pen(2, started_at=wrong, ended_at=wrong + 2, created_at=9)]
        )
    )
    assert spans(timeline) == [(1000, 2000), (8000, 10_000)]


def test_nobody_draws_for_hours_with_one_stroke() -> None:
    timeline = build_timeline(board([pen(started_at=0, ended_at=7200, created_at=7200)]))
    assert spans(timeline) == [(1000, 61_000)]


def test_what_was_taken_back_is_gone_from_then_on() -> None:
    timeline = build_timeline(
        board(
            [
                pen(1, started_at=0, ended_at=1, created_at=1, deleted_at=3),
                pen(2, started_at=4, ended_at=5, created_at=5),
            ]
        )
    )
    assert [len(timeline.shapes_at(moment, 0)) for moment in (2000, 3999, 4000, 6000)] == [1, 1, 0, 1]


def test_what_is_wiped_after_the_lesson_stays_in_its_replay() -> None:
    strokes = [pen(started_at=0, ended_at=1, created_at=1, deleted_at=90_000)]
    timeline = build_timeline(board(strokes), until=at(60))
    assert timeline.strokes[0].removed_at is None
    assert timeline.duration_ms == 4000


def test_idle_time_is_shortened_on_request() -> None:
    strokes = [
        pen(order, started_at=60 * order, ended_at=60 * order + 1, created_at=60 * order + 1) for order in (1, 2)
    ]
    assert build_timeline(board(strokes)).duration_ms == 64_000
    short = build_timeline(board(strokes), shorten_idle=True)
    assert spans(short) == [(1000, 2000), (5000, 6000)]
    assert short.duration_ms == 8000


def test_the_page_of_the_stroke_is_shown_until_somebody_turns_one() -> None:
    strokes = [pen(started_at=10, ended_at=11, created_at=11)], [pen(started_at=0, ended_at=1, created_at=1)]
    alone = build_timeline(board(*strokes))
    assert [alone.page_at(moment) for moment in (0, 10_999, 11_000, alone.duration_ms)] == [1, 1, 0, 0]
    turned = build_timeline(board(*strokes), turns=[PageShown(at(5), 0), PageShown(at(12), 1)])
    assert [turned.page_at(moment) for moment in (0, 5999, 6000, 12_999, 13_000)] == [1, 1, 0, 0, 1]


def test_a_page_turned_to_long_before_is_what_the_replay_begins_with() -> None:
    timeline = build_timeline(
        board([], [pen(started_at=0, ended_at=1, created_at=1)]), turns=[PageShown(at(-600), 1), PageShown(at(-300), 0)]
    )
    assert [turn.page for turn in timeline.turns] == [0]
    assert spans(timeline) == [(1000, 2000)]


def test_pages_without_a_stroke_are_shown_while_somebody_speaks() -> None:
    voice = RecordedVoice(5, (RecordedStretch(begun=round(BEGIN.timestamp() * 1000), at=0, length=9000),))
    turns = [PageShown(at(-5), 1), PageShown(at(4), 0), PageShown(at(60), 1)]
    timeline = build_timeline(board([], []), turns=turns, voices=[voice], shows_pages=True)
    assert [(turn.at, turn.page) for turn in timeline.turns] == [(0, 1), (4000, 0)]
    assert (timeline.duration_ms, timeline.strokes) == (9000, ())
    unturned = build_timeline(board([], []), voices=[voice], shows_pages=True)
    assert [(turn.at, turn.page) for turn in unturned.turns] == [(0, 0)]
    with pytest.raises(NothingDrawn):
        build_timeline(board([], []), turns=turns, shows_pages=True)


def test_nothing_drawn_is_said() -> None:
    with pytest.raises(NothingDrawn):
        build_timeline(board([], [{"stroke_type": None, "stroke_data": None}]))


seconds = st.floats(-100, 10_000).map(lambda value: round(value, 3))
stroke_rows = st.fixed_dictionaries(
    {},
    optional=dict.fromkeys(("created_at", "started_at", "ended_at", "deleted_at"), seconds.map(at)),
)


@given(st.lists(st.lists(stroke_rows, max_size=12), min_size=1, max_size=3), st.booleans(), st.data())
def test_any_times_make_a_replay(pages: list[list[Any]], short: bool, data: Any) -> None:
    rows = [[pen(number + 1) | row for number, row in enumerate(page)] for page in pages]
    turns = [
        PageShown(at(when), page)
        for when, page in data.draw(st.lists(st.tuples(seconds, st.integers(0, len(pages) - 1)), max_size=4))
    ]
    if not any(rows):
        return
    timeline = build_timeline(board(*rows), turns=turns, shorten_idle=short)

    assert sorted((stroke.page, stroke.place) for stroke in timeline.strokes) == [
        (page, place) for page, strokes in enumerate(rows) for place in range(len(strokes))
    ]
    assert all(0 < stroke.start <= stroke.end <= timeline.duration_ms for stroke in timeline.strokes)
    assert min(stroke.start for stroke in timeline.strokes) == 1000
    assert timeline.turns[0].at == 0
    assert [turn.at for turn in timeline.turns] == sorted(turn.at for turn in timeline.turns)
    if short:
        busy = sorted([(stroke.start, stroke.end) for stroke in timeline.strokes])
        changes = [stroke.removed_at for stroke in timeline.strokes if stroke.removed_at is not None] + [
            turn.at for turn in timeline.turns
        ]
        end = 1000
        for start, finish in sorted([*busy, *((moment, moment) for moment in changes if moment >= 1000)]):
            assert start - end <= 3000
            end = max(end, finish)


@given(st.lists(stroke_rows, min_size=1, max_size=12), st.integers(0, 100_000))
def test_at_any_time_the_strokes_up_to_then_are_shown(rows: list[Any], moment: int) -> None:
    """Those that have ended whole, those in hand in part, none that is to come and none that is gone."""
    timeline = build_timeline(board([pen(number + 1) | row for number, row in enumerate(rows)]))
    shown = timeline.shapes_at(moment, 0)
    alive = [stroke for stroke in timeline.strokes if stroke.removed_at is None or stroke.removed_at > moment]
    whole = {id(stroke.shape) for stroke in alive if stroke.end <= moment}
    assert {id(shape) for shape in shown} >= whole
    assert len(shown) - len(whole) == sum(stroke.start < moment < stroke.end for stroke in alive)
