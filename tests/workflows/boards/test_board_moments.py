"""Chapters and typed text of recordings, from what is stored of their board."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from models.recordings import Recording
from tests.conftest import School, Sql
from worker.canvases.limits import MAX_STROKES_OF_PAGE
from worker.database import Database
from worker.recordings.texts.board_texts import BoardText, set_board_texts
from worker.recordings.texts.chapters import Chapter, ChapterList, set_chapters
from worker.workflows.boards.board_moments import ShownPage, board_texts_of, chapters_of, shown_pages_of

BEGIN = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
SECONDS = 600


class Lesson:
    """A session with two pages, and a recording of ten minutes that began at BEGIN."""

    def __init__(self, database: Database, sql: Sql, booking_id: int) -> None:
        self.database, self.sql = database, sql
        self.id = sql("INSERT INTO whiteboard_sessions (booking_id) VALUES (:id) RETURNING id", id=booking_id)[0].id
        insert = (
            "INSERT INTO whiteboard_pages (session_id, page_number, page_title) VALUES (:id, :n, :title) RETURNING id"
        )
        self.pages = [sql(insert, id=self.id, n=n, title=title)[0].id for n, title in ((1, "Fractions"), (2, "Page 2"))]
        self.recording_id = self.record()

    def record(self, kind: str = "board", marks: list[Any] | None = None, **metadata: Any) -> int:
        recording_id: int = self.sql(
            "INSERT INTO whiteboard_session_recordings (session_id, recording_type, is_available, recording_date,"
            " recording_metadata, marks) VALUES (:id, :kind, true, :begin, CAST(:metadata AS jsonb),"
            " CAST(:marks AS jsonb)) RETURNING id",
            id=self.id,
            kind=kind,
            begin=BEGIN,
            metadata=json.dumps({"duration_ms": SECONDS * 1000, "audio_codec": "opus", **metadata}),
            marks=None if marks is None else json.dumps(marks),
        )[0].id
        return recording_id

    def stroke(self, at: float, page: int = 0, text: str | None = None, **columns: Any) -> None:
        data: dict[str, Any] = {"points": [[0, 0], [9, 9]]}
        if text is not None:
            data = {"text": text, "x": 10, "y": 50, "fontSize": 16}
        instant = BEGIN + timedelta(seconds=at)
        values = {"started_at": instant, "ended_at": instant, "is_deleted": False, "deleted_at": None} | columns
        self.sql(
            "INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, stroke_order,"
            " created_at, started_at, ended_at, is_deleted, deleted_at) SELECT :page, :id, :kind, CAST(:data AS jsonb),"
            " count(*), :at, :started_at, :ended_at, :is_deleted, :deleted_at FROM whiteboard_canvas_data",
            page=self.pages[page],
            id=self.id,
            kind="pen" if text is None else "text",
            data=json.dumps(data),
            at=instant,
            **values,
        )

    def turn(self, at: float, page: int) -> None:
        self.sql(
            "INSERT INTO whiteboard_events (session_id, kind, page_id, at) VALUES (:id, 'page', :page, :at)",
            id=self.id,
            page=self.pages[page],
            at=BEGIN + timedelta(seconds=at),
        )

    def chapters(self, recording_id: int | None = None) -> ChapterList:
        with self.database.transaction() as session:
            return chapters_of(session, session.get_one(Recording, recording_id or self.recording_id))

    def texts(self, recording_id: int | None = None) -> list[BoardText]:
        with self.database.transaction() as session:
            return board_texts_of(session, session.get_one(Recording, recording_id or self.recording_id))


@pytest.fixture
def lesson(database: Database, sql: Sql, school: School) -> Lesson:
    return Lesson(database, sql, school.booking_id)


NONE = ChapterList(None, ())


def test_pages_are_the_chapters_of_a_voice(lesson: Lesson) -> None:
    lesson.stroke(5)
    lesson.turn(0, 0)
    lesson.turn(200, 1)
    lesson.stroke(210, 1, "Exercise 4")
    assert lesson.chapters() == ChapterList("automatic", (Chapter(0, "Fractions"), Chapter(200_000, "Exercise 4")))
    assert lesson.texts() == [BoardText(210_000, "Exercise 4")]


def test_pages_are_known_with_the_times_of_a_film(lesson: Lesson) -> None:
    film = lesson.record("video", video_codec="vp9")
    lesson.stroke(5)
    lesson.turn(0, 0)
    lesson.turn(200, 1)
    lesson.turn(400, 0)
    lesson.turn(SECONDS + 5, 1)
    lesson.stroke(210, 1)
    with lesson.database.transaction() as session:
        shown = shown_pages_of(session, session.get_one(Recording, film))
    first, second = lesson.pages
    assert shown == [ShownPage(0, first, 1), ShownPage(200_000, second, 2), ShownPage(400_000, first, 1)]


@pytest.mark.parametrize("kind", ["board", "video", "screen"])
def test_every_recording_of_the_session_has_them(lesson: Lesson, kind: str) -> None:
    recording_id = lesson.record(kind, video_codec="vp9")
    lesson.stroke(5)
    lesson.turn(300, 1)
    assert [chapter.start_ms for chapter in lesson.chapters(recording_id).chapters] == [0, 300_000]


def test_times_follow_the_pauses_of_the_recorder(lesson: Lesson) -> None:
    recording_id = lesson.record(marks=[{"kind": "pause", "from_ms": 100_000, "to_ms": 160_000}])
    lesson.stroke(50, text="before")
    lesson.stroke(130, text="in the pause")
    lesson.stroke(300, text="behind it")
    assert lesson.texts(recording_id) == [
        BoardText(50_000, "before"),
        BoardText(100_000, "in the pause"),
        BoardText(240_000, "behind it"),
    ]


def test_texts_of_a_very_long_board_are_found(lesson: Lesson) -> None:
    """As many strokes as are drawn of one page come before the text on the next."""
    lesson.sql(
        "INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, stroke_order, created_at)"
        " SELECT :page, :id, 'pen', '{}', number, :at FROM generate_series(1, :most) AS number",
        page=lesson.pages[0],
        id=lesson.id,
        at=BEGIN,
        most=MAX_STROKES_OF_PAGE,
    )
    lesson.stroke(300, 1, "the end")
    assert lesson.texts() == [BoardText(300_000, "the end")]


def test_strokes_without_times_count_when_they_arrived(lesson: Lesson) -> None:
    lesson.stroke(100, text="ሰላም", started_at=None, ended_at=None)
    (typed,) = lesson.texts()
    assert typed.start_ms <= 100_000
    assert typed.start_ms == pytest.approx(100_000, abs=10_000)


def test_only_what_was_seen_while_it_was_recorded_counts(lesson: Lesson) -> None:
    lesson.stroke(-60, text="before")
    lesson.stroke(SECONDS + 60, text="after")
    lesson.stroke(10, text="slip", is_deleted=True, deleted_at=BEGIN + timedelta(seconds=11))
    lesson.stroke(20, text="cleared", is_deleted=True, deleted_at=BEGIN + timedelta(seconds=90))
    lesson.stroke(30, text="of early days", is_deleted=True)
    assert lesson.texts() == [BoardText(0, "before"), BoardText(20_000, "cleared")]


def test_broken_strokes_cost_nothing_else(lesson: Lesson) -> None:
    lesson.stroke(10, text="good")
    lesson.sql(
        "INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, stroke_order)"
        " SELECT :page, :id, 'text', CAST(data AS jsonb), 1000 FROM unnest(CAST(:texts AS text[])) data",
        page=lesson.pages[0],
        id=lesson.id,
        texts=['{"text": 5}', "{}", '{"text": "x"}', '{"x": 1, "y": 2, "text": " "}', "[]"],
    )
    lesson.sql(
        "UPDATE whiteboard_canvas_data"
        " SET stroke_data = jsonb_build_object('text', repeat('x', 200000), 'x', 1, 'y', 1) WHERE stroke_data = '[]'"
    )
    assert lesson.texts() == [BoardText(10_000, "good")]


def test_nothing_is_invented(lesson: Lesson) -> None:
    assert (lesson.chapters(), lesson.texts()) == (NONE, [])
    lesson.stroke(5)
    assert (lesson.chapters(), lesson.texts()) == (NONE, [])
    lesson.turn(300, 1)
    processing = lesson.record()
    lesson.sql("UPDATE whiteboard_session_recordings SET is_available = false WHERE id = :id", id=processing)
    assert (lesson.chapters(processing), lesson.texts(processing)) == (NONE, [])


@pytest.mark.parametrize("source", ["origin", "replay"])
def test_of_a_film_only_what_was_stored_with_it_counts(lesson: Lesson, source: str) -> None:
    lesson.stroke(5, text="typed")
    lesson.turn(300, 1)
    film = lesson.record(origin="combined" if source == "origin" else None)
    if source == "replay":
        lesson.sql("INSERT INTO recording_renditions (recording_id, name) VALUES (:id, 'replay')", id=film)
    assert (lesson.chapters(film), lesson.texts(film)) == (NONE, [])
    with lesson.database.transaction() as session:
        set_chapters(session, film, "automatic", [Chapter(0, "a"), Chapter(40_000, "b")])
        set_board_texts(session, film, [BoardText(7, "typed")])
    assert lesson.chapters(film) == ChapterList("automatic", (Chapter(0, "a"), Chapter(40_000, "b")))
    assert lesson.texts(film) == [BoardText(7, "typed")]


def test_what_the_tutor_writes_comes_first(lesson: Lesson) -> None:
    lesson.stroke(5)
    lesson.turn(300, 1)
    for chapters in ((Chapter(0, "mine"),), ()):
        with lesson.database.transaction() as session:
            set_chapters(session, lesson.recording_id, "tutor", chapters)
        assert lesson.chapters() == ChapterList("tutor", chapters)
