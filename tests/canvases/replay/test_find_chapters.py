"""Chapters of boards: where pages are turned and titles are typed; never shorter than 30 seconds, never invented."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.canvases.replay.build_timeline import build_timeline
from worker.canvases.replay.find_chapters import MIN_CHAPTER_MS, find_chapters
from worker.canvases.replay.timeline import PageShown, RecordedVoice, ReplayTimeline
from worker.canvases.replay.typed_texts import typed_texts
from worker.canvases.stored.pages import read_board
from worker.media.probing.recorded_time import RecordedStretch

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
LESSON = 600


def at(seconds: float) -> datetime:
    return BEGIN + timedelta(seconds=seconds)


def typed(text: str, seconds: float, *, gone: float | None = None, **data: Any) -> dict[str, Any]:
    return {
        "stroke_type": "text",
        "stroke_data": {"text": text, "x": 10, "y": 50, "fontSize": 16, **data},
        "created_at": at(seconds),
        "started_at": at(seconds),
        "ended_at": at(seconds),
        "deleted_at": None if gone is None else at(gone),
    }


def dot(seconds: float) -> dict[str, Any]:
    points = {"points": [[0, 0], [9, 9]]}
    return {"stroke_type": "pen", "stroke_data": points, "started_at": at(seconds), "ended_at": at(seconds)}


def lesson(
    pages: list[list[dict[str, Any]]], turns: list[tuple[float, int]], titles: tuple[str | None, ...] = ()
) -> ReplayTimeline:
    """A voice of ten minutes over a board; `turns` are (seconds, page)."""
    named = [*titles, *[None] * len(pages)]
    board = read_board(
        {
            "pages": [
                {"strokes": [*strokes, dot(1)], "page_title": title}
                for strokes, title in zip(pages, named, strict=False)
            ]
        },
        ever=True,
    )
    begun = round(BEGIN.timestamp() * 1000)
    voice = RecordedVoice(1, (RecordedStretch(begun, 0, LESSON * 1000),))
    return build_timeline(board, turns=[PageShown(at(second), page) for second, page in turns], voices=[voice])


def chapters(timeline: ReplayTimeline) -> list[tuple[float, str]]:
    return [(chapter.at / 1000, chapter.title) for chapter in find_chapters(timeline, LESSON * 1000)]


def test_each_page_is_a_chapter_with_its_own_title_or_number() -> None:
    timeline = lesson([[], [], []], [(0, 0), (100, 1), (300, 2)], ("Fractions", " ", "ገጽ 3"))
    assert chapters(timeline) == [(0, "Fractions"), (100, "Page 2"), (300, "Page 3")]


def test_what_is_typed_first_on_a_page_is_its_title() -> None:
    pages = [[typed("ክፍልፋዮች", 5), typed("x = 5", 2)], [typed("1/2 + 1/3", 101), typed("Exercise 4", 120)], []]
    assert chapters(lesson(pages, [(0, 0), (100, 1), (300, 2)])) == [
        (0, "ክፍልፋዮች"),
        (100, "Exercise 4"),
        (300, "Page 3"),
    ]


def test_a_larger_text_is_rather_the_title() -> None:
    first = [typed("see your books", 2), typed("Fractions", 9, fontSize=32), typed("a half", 20), typed("a third", 25)]
    assert chapters(lesson([first, []], [(0, 0), (300, 1)])) == [(0, "Fractions"), (300, "Page 2")]


@pytest.mark.parametrize(
    "form", [{"fontSize": 32}, {"formatting": {"bold": True}}, {"formatting": {"underline": True}}]
)
def test_a_heading_within_a_page_begins_a_chapter(form: dict[str, Any]) -> None:
    texts = [typed("Fractions", 2, **form), typed("usual", 40), typed("usual text", 50), typed("usual", 60)]
    texts += [typed("Decimals", 200, **form), typed("too soon", 210, **form), typed("at the end", 580, **form)]
    assert chapters(lesson([texts], [(0, 0)])) == [(0, "Fractions"), (200, "Decimals")]


@pytest.mark.parametrize(
    "text", ["x = 5", "ab", "12345", "a sentence that is far too long to be a title " * 2, "two\nlines"]
)
def test_formulas_and_sentences_are_no_titles(text: str) -> None:
    texts = [typed("usual", 40), typed("usual", 50), typed("usual", 60), typed(text, 300, fontSize=40)]
    assert chapters(lesson([texts], [(0, 0)])) == []


def test_a_text_that_was_taken_back_at_once_is_no_title() -> None:
    pages = [[typed("Fractoins", 2, gone=4), typed("Fractions", 6)], []]
    assert chapters(lesson(pages, [(0, 0), (300, 1)]))[0] == (0, "Fractions")
    timeline = lesson(pages, [(0, 0), (300, 1)])
    assert [text.text for text in typed_texts(timeline, LESSON * 1000)] == ["Fractions"]


def test_a_page_that_is_only_passed_is_no_chapter() -> None:
    """From 1 by 2 to 3, and back by 2 to 1."""
    turns = [(0.0, 0), (200.0, 1), (205.0, 2), (400.0, 1), (410.0, 0)]
    assert chapters(lesson([[], [], []], turns)) == [(0, "Page 1"), (205, "Page 3"), (410, "Page 1")]


def test_a_short_look_at_another_page_does_not_divide_a_chapter() -> None:
    assert chapters(lesson([[], []], [(0, 0), (100, 1), (110, 0), (300, 1)])) == [(0, "Page 1"), (300, "Page 2")]


def test_pages_that_are_turned_fast_share_chapters() -> None:
    turns = [(20.0 * number, number) for number in range(30)]
    cues = chapters(lesson([[]] * 30, turns))
    assert [start for start, _title in cues] == [40.0 * number for number in range(15)]


@pytest.mark.parametrize("turns", [[], [(0, 0)], [(0, 0), (580, 1)], [(0, 0), (10, 1)]])
def test_a_lesson_of_one_chapter_has_none(turns: list[tuple[float, int]]) -> None:
    assert chapters(lesson([[], []], turns)) == []


def test_what_is_on_the_board_before_and_after_the_recording() -> None:
    pages = [[typed("Before", -100)], [typed("After", LESSON + 50)]]
    timeline = lesson(pages, [(-50, 0), (LESSON + 10, 1)])
    assert chapters(timeline) == []
    assert [(text.at, text.text) for text in typed_texts(timeline, LESSON * 1000)] == [(0, "Before")]


def test_titles_are_visible_text_in_one_line() -> None:
    timeline = lesson([[], []], [(0, 0), (300, 1)], ("\u202eFractions\nand more", "</script>"))
    assert chapters(timeline) == [(0, "Fractions and more"), (300, "</script>")]


@given(
    st.lists(st.tuples(st.integers(-100, 700), st.integers(0, 3)), max_size=40),
    st.lists(st.tuples(st.integers(-100, 700), st.integers(0, 3), st.sampled_from([10, 16, 40])), max_size=20),
)
def test_no_chapter_is_shorter_than_half_a_minute(
    turns: list[tuple[int, int]], texts: list[tuple[int, int, int]]
) -> None:
    pages: list[list[dict[str, Any]]] = [[], [], [], []]
    for second, page, size in texts:
        pages[page].append(typed("A title", second, fontSize=size))
    cues = find_chapters(lesson(pages, [*turns]), LESSON * 1000)
    starts = [chapter.at for chapter in cues]
    assert all(after - start >= MIN_CHAPTER_MS for start, after in pairwise([*starts, LESSON * 1000]))
    assert len(cues) != 1
    assert all(chapter.title for chapter in cues)
