"""Nobody has two lessons at once: the database refuses it, however rows are written."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from psycopg.errors import ExclusionViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.schedules.conftest import ScheduleFixture
from tests.statements import waits_for_a_lock
from tests.waiting import TIMEOUT, wait_for
from worker.schedules.conflicts.clash import LessonConflict
from worker.schedules.series.membership import SeriesMember

LESSON = """
    INSERT INTO tutor_schedules (id, tutor_id, student_id, schedule_date, start_time, end_time,
                                 starts_at, ends_at, status)
    VALUES (:id, :tutor, :student, '2026-05-04', '10:00', '11:00',
            CAST('2026-05-04 ' || CAST(:start AS text) || '+00' AS timestamptz),
            CAST('2026-05-04 ' || CAST(:end AS text) || '+00' AS timestamptz), :status)
"""
SEAT = """
    INSERT INTO schedule_participants (schedule_id, student_id, starts_at, ends_at, status)
    SELECT id, :student, starts_at, ends_at, status FROM tutor_schedules WHERE id = :id
"""


def lesson(number: int, tutor: int, student: int | None, start: str, end: str, status: str) -> dict[str, Any]:
    return {"id": number, "tutor": tutor, "student": student, "start": start, "end": end, "status": status}


@pytest.mark.parametrize("first", ["scheduled", "in_progress"])
@pytest.mark.parametrize("second", ["scheduled", "in_progress"])
@pytest.mark.parametrize(
    ("tutor", "student", "constraint"),
    [(11, 25, "ex_tutor_schedules_tutor_id"), (14, 22, "ex_tutor_schedules_student_id")],
)
def test_a_tutor_and_a_student_with_themselves(
    schedules: ScheduleFixture, first: str, second: str, tutor: int, student: int, constraint: str
) -> None:
    schedules.execute(LESSON, **lesson(1, 11, 22, "10:00", "11:00", first))
    with pytest.raises(IntegrityError, match=constraint) as caught:
        schedules.execute(LESSON, **lesson(2, tutor, student, "10:59", "12:00", second))
    assert isinstance(caught.value.orig, ExclusionViolation)


def test_the_second_student_of_a_group_with_another_tutor(schedules: ScheduleFixture) -> None:
    schedules.execute(LESSON, **lesson(1, 11, 22, "10:00", "11:00", "scheduled"))
    schedules.execute(SEAT, id=1, student=25)
    schedules.execute(LESSON, **lesson(2, 14, 22, "11:00", "12:00", "scheduled"))
    schedules.execute(SEAT, id=2, student=25)
    with pytest.raises(IntegrityError, match="ex_schedule_participants_student_id"):
        schedules.execute(
            "UPDATE tutor_schedules SET starts_at = starts_at - interval '1 min', student_id = NULL WHERE id = 2"
        )


@pytest.mark.parametrize(
    ("tutor", "student", "start", "end", "status"),
    [
        (11, 22, "11:00", "12:00", "scheduled"),
        (11, None, "10:00", "11:00", "scheduled"),
        (11, 22, "10:00", "11:00", "cancelled"),
        (11, 22, "10:00", "11:00", "completed"),
        (14, 25, "10:00", "11:00", "scheduled"),
    ],
)
def test_what_takes_nobody_twice_is_allowed(
    schedules: ScheduleFixture, tutor: int, student: int | None, start: str, end: str, status: str
) -> None:
    schedules.execute(LESSON, **lesson(1, 11, 22, "10:00", "11:00", "scheduled"))
    schedules.execute(LESSON, **lesson(2, tutor, student, start, end, status))


@pytest.mark.parametrize(
    ("tutor_id", "student_id", "reason"),
    [(11, 25, "tutor-busy"), (14, 22, "student-busy")],
)
@pytest.mark.parametrize("status", ["scheduled", "in_progress"])
def test_the_room_says_who_is_busy(
    schedules: ScheduleFixture, tutor_id: int, student_id: int, reason: str, status: str
) -> None:
    other = schedules.lesson("2026-05-04")
    schedules.execute("UPDATE tutor_schedules SET status = :status", status=status)
    with pytest.raises(LessonConflict) as caught:
        schedules.lesson(
            "2026-05-04",
            "10:30",
            "11:30",
            tutor_id=tutor_id,
            person=SeriesMember(student_id, schedules.second_booking_id),
        )
    [conflict] = caught.value.members["conflicts"]
    assert (conflict["reason"], conflict["schedule_id"], conflict.get("student_id")) == (
        reason,
        other,
        None if reason == "tutor-busy" else student_id,
    )


def test_the_second_student_of_a_group_is_busy_too(schedules: ScheduleFixture) -> None:
    series = schedules.series("FREQ=DAILY", people=[schedules.first, schedules.second])
    with pytest.raises(LessonConflict) as caught:
        schedules.lesson("2026-05-05", tutor_id=14, person=SeriesMember(25, schedules.school.other_booking_id))
    assert caught.value.members["conflicts"][0]["schedule_id"] == series.first[1].id


@pytest.mark.parametrize("pattern", [None, "FREQ=DAILY"])
def test_who_comes_second_in_a_race_learns_what_was_first(schedules: ScheduleFixture, pattern: str | None) -> None:
    """The other lesson is stored after ours has looked, and committed while ours is being written."""
    with ThreadPoolExecutor(1) as pool:
        with schedules.database.transaction() as session:
            session.execute(text(LESSON), lesson(101, 11, 25, "07:30", "08:30", "scheduled"))
            second = pool.submit(schedules.series if pattern else schedules.lesson, pattern or "2026-05-04")
            wait_for(lambda: waits_for_a_lock(schedules.database))
            assert not second.done()
        with pytest.raises(LessonConflict, match="lesson 101 "):
            second.result(timeout=TIMEOUT)
    assert len(schedules.rows()) == 1


def test_two_who_wait_for_each_other_are_both_answered(schedules: ScheduleFixture) -> None:
    """Each has stored what the other wants next: the database calls that a deadlock and stops one of them."""
    schedules.lesson("2026-05-20", person=schedules.second)
    with ThreadPoolExecutor(1) as pool:
        with schedules.database.transaction() as session:
            # Ours holds the 6th of May; the series, in order of days, takes the 4th and 5th and waits for us.
            session.execute(text(LESSON), lesson(102, 14, 22, "07:00", "08:00", "scheduled"))
            session.execute(
                text(
                    "UPDATE tutor_schedules SET starts_at = starts_at + interval '2 d',"
                    " ends_at = ends_at + interval '2 d' WHERE id = 102"
                )
            )
            second = pool.submit(schedules.series, "FREQ=DAILY;COUNT=3", skip_conflicts=True)
            wait_for(lambda: waits_for_a_lock(schedules.database))
            assert not second.done()
            first = []
            with suppress(IntegrityError, OperationalError), session.begin_nested():
                session.execute(text(LESSON), lesson(103, 14, 22, "07:00", "08:00", "scheduled"))
                first.append(103)
        series = second.result(timeout=TIMEOUT)
    days = schedules.days(series.series_id)
    assert days == (["05-05"] if first else ["05-04", "05-05"])
    assert {skip[2] for skip in schedules.skips()} == {"student-busy"}
