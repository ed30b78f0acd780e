"""Lessons advance by the clock: every status, concurrently, and after a night without a worker."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update

from models.schedules import Schedule, ScheduleParticipant
from tests.conftest import School
from tests.waiting import TIMEOUT
from worker.database import Database
from worker.schedules.advance import begin_lesson, begin_lessons, complete_boarded_lessons, complete_lessons

START = datetime(2026, 3, 2, 11, 0, tzinfo=UTC)
HOUR = timedelta(hours=1)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


class Calendar:
    """Lessons of one tutor, an hour each, one after the other."""

    def __init__(self, database: Database) -> None:
        self.database = database
        self._next = START

    def add(self, status: str = "scheduled", *, student: int | None = 22, hours: int = 1, **columns: Any) -> int:
        """A lesson with its participant at the next hour; returns its id."""
        values = {
            "tutor_id": 11,
            "student_id": student,
            "schedule_date": self._next.date(),
            "start_time": self._next.time(),
            "end_time": (self._next + hours * HOUR).time(),
            "starts_at": self._next,
            "ends_at": self._next + hours * HOUR,
            "status": status,
            "updated_at": LONG_AGO,
            **columns,
        }
        self._next += hours * HOUR
        with self.database.transaction() as session:
            schedule_id = session.scalars(insert(Schedule).values(values).returning(Schedule.id)).one()
            session.execute(
                text(
                    "INSERT INTO schedule_participants SELECT id, student_id, NULL, starts_at, ends_at, status"
                    " FROM tutor_schedules WHERE id = :id AND student_id IS NOT NULL"
                ),
                {"id": schedule_id},
            )
        return schedule_id

    def advance(self, hours: float, most: int = 100) -> tuple[int, int]:
        """What the clock does so many hours after the first lesson's start."""
        now = START + hours * HOUR
        with self.database.transaction() as session:
            begun = begin_lessons(session, now=now, most=most)
        with self.database.transaction() as session:
            return begun, complete_lessons(session, now=now, most=most)

    def rows(self, column: str, table: Any = Schedule) -> list[Any]:
        order = Schedule.id if table is Schedule else table.schedule_id
        with self.database.transaction() as session:
            return list(session.scalars(select(getattr(table, column)).order_by(order)))


@pytest.fixture
def calendar(database: Database, school: School) -> Calendar:
    return Calendar(database)


def test_a_lesson_from_its_start_to_its_end(calendar: Calendar) -> None:
    calendar.add()
    for hours, moved, status in (
        (-0.001, (0, 0), "scheduled"),
        (0, (1, 0), "in_progress"),
        (0, (0, 0), "in_progress"),
        (0.999, (0, 0), "in_progress"),
        (1, (0, 1), "completed"),
        (1, (0, 0), "completed"),
        (100, (0, 0), "completed"),
    ):
        assert calendar.advance(hours) == moved, hours
        assert calendar.rows("status") == [status]
        # The foreign key carries it to the lesson's students.
        assert calendar.rows("status", ScheduleParticipant) == [status]
    assert calendar.rows("attendance") == ["unknown"]
    assert calendar.rows("updated_at")[0] > LONG_AGO
    # A calendar shows the same before and after.
    assert calendar.rows("sequence") == [0]


def test_slots_and_cancelled_lessons_stay(calendar: Calendar) -> None:
    calendar.add(student=None)
    calendar.add("cancelled")
    calendar.add("completed")
    for hours in (0.5, 1.5, 2.5, 3.5, 1000):
        assert calendar.advance(hours) == (0, 0)
    assert calendar.rows("status") == ["scheduled", "cancelled", "completed"]
    assert calendar.rows("updated_at") == [LONG_AGO] * 3


def test_what_was_wholly_missed_is_caught_up(calendar: Calendar) -> None:
    """Beat and workers were away over night."""
    for _ in range(5):
        calendar.add()
    calendar.add("in_progress")
    calendar.add()
    calendar.add()
    assert calendar.advance(6.5) == (1, 6)
    assert calendar.rows("status") == ["completed"] * 6 + ["in_progress", "scheduled"]


def test_at_most_so_many_at_a_time(calendar: Calendar) -> None:
    for _ in range(5):
        calendar.add()
    assert [calendar.advance(10, most=2)[1] for _ in range(4)] == [2, 2, 1, 0]


def test_a_lesson_that_its_board_began_early_is_not_set_back(calendar: Calendar, database: Database) -> None:
    schedule_id = calendar.add()
    with database.transaction() as session:
        begin_lesson(session, schedule_id)
    assert calendar.advance(-5) == (0, 0)
    assert calendar.rows("status") == ["in_progress"]
    assert calendar.advance(0.5) == (0, 0)
    assert calendar.advance(1) == (0, 1)


@pytest.mark.parametrize("status", ["in_progress", "completed", "cancelled"])
def test_a_board_begins_only_what_has_not_begun(calendar: Calendar, database: Database, status: str) -> None:
    schedule_id = calendar.add(status)
    with database.transaction() as session:
        begin_lesson(session, schedule_id)
    assert (calendar.rows("status"), calendar.rows("updated_at")) == ([status], [LONG_AGO])


def test_a_board_completes_what_was_not_called_off(calendar: Calendar, database: Database) -> None:
    ids = [calendar.add(status) for status in ("scheduled", "in_progress", "completed", "cancelled")]
    slot = calendar.add(student=None)
    for changed in (2, 0):
        with database.transaction() as session:
            assert complete_boarded_lessons(session, [*ids, slot, 999]) == changed
    assert calendar.rows("status") == ["completed", "completed", "completed", "cancelled", "scheduled"]


def test_two_at_once_share_the_work(calendar: Calendar, database: Database) -> None:
    """Each of them in a transaction that the other does not wait for."""
    for _ in range(40):
        calendar.add()
    both_hold_theirs = threading.Barrier(2, timeout=TIMEOUT)

    def complete(_worker: int) -> int:
        with database.transaction() as session:
            done = complete_lessons(session, now=START + 40 * HOUR, most=20)
            both_hold_theirs.wait()
        return done

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(complete, range(2))) == [20, 20]
    assert calendar.rows("status") == ["completed"] * 40


def test_a_lesson_that_somebody_edits_is_left_to_the_next_round(calendar: Calendar, database: Database) -> None:
    edited = calendar.add()
    calendar.add()
    with database.transaction() as session:
        session.execute(text("SELECT 1 FROM tutor_schedules WHERE id = :id FOR UPDATE"), {"id": edited})
        assert calendar.advance(2) == (0, 1)
    assert calendar.advance(2) == (0, 1)


def test_a_lesson_that_was_moved_away_meanwhile_does_not_begin(calendar: Calendar, database: Database) -> None:
    """The update skips locked rows, and re-checks those that it has locked."""
    calendar.add()
    with database.transaction() as session:
        session.execute(
            update(Schedule).values(starts_at=Schedule.starts_at + 24 * HOUR, ends_at=Schedule.ends_at + 24 * HOUR)
        )
        assert calendar.advance(0.5) == (0, 0)
    assert calendar.advance(0.5) == (0, 0)
    assert calendar.rows("status") == ["scheduled"]


def test_attendance_is_judged_at_completion(calendar: Calendar, database: Database) -> None:
    held, missed, _unknown = (calendar.add() for _ in range(3))
    with database.transaction() as session:
        boards = session.scalars(
            text("INSERT INTO whiteboard_sessions (schedule_id) VALUES (:held), (:missed) RETURNING id"),
            {"held": held, "missed": missed},
        ).all()
        session.execute(
            text(
                "INSERT INTO whiteboard_events (session_id, kind, profile_type, profile_id) VALUES"
                " (:held, 'start', 'tutor', 11), (:held, 'join', 'student', 22), (:missed, 'start', 'tutor', 11)"
            ),
            {"held": boards[0], "missed": boards[1]},
        )
    assert calendar.advance(0.5) == (1, 0)
    assert calendar.rows("attendance") == ["unknown"] * 3
    assert calendar.advance(3) == (0, 3)
    assert calendar.rows("attendance") == ["held", "missed", "unknown"]
    # The student comes late, and the board ends after the lesson.
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO whiteboard_events (session_id, kind, profile_type, profile_id)"
                " VALUES (:missed, 'join', 'student', 22)"
            ),
            {"missed": boards[1]},
        )
    assert calendar.advance(4) == (0, 0)
    with database.transaction() as session:
        assert complete_boarded_lessons(session, [held, missed]) == 1
    assert calendar.rows("attendance") == ["held", "held", "unknown"]


@pytest.mark.parametrize("statement", ["begin", "complete"])
def test_the_index_of_live_lessons_answers(calendar: Calendar, database: Database, statement: str) -> None:
    """A year of completed lessons must not be looked through every half minute."""
    do: Callable[..., int] = {"begin": begin_lessons, "complete": complete_lessons}[statement]
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, starts_at,"
                " ends_at, status) SELECT 11, 22, '2025-01-01', '10:00', '11:00', at, at + interval '1 h', 'completed'"
                " FROM generate_series(timestamptz '2015-01-01', '2017-12-31', '1 h') at"
            )
        )
        session.execute(text("ANALYZE tutor_schedules"))
        scans = text(
            "SELECT pg_stat_get_xact_numscans(CAST('tutor_schedules' AS regclass)),"
            " pg_stat_get_xact_numscans(CAST('ix_tutor_schedules_live' AS regclass))"
        )
        whole, index = session.execute(scans).one()
        do(session, now=START, most=10)
        assert session.execute(scans).one() == (whole, index + 1)
