"""Nobody is in two lessons at once: the database refuses it, however the rows come."""

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any

import pytest
from psycopg.errors import ExclusionViolation
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, OperationalError

from tests.schedules.conftest import Diary
from tests.statements import waits_for_a_lock
from tests.waiting import PATIENCE, wait_for
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
    diary: Diary, first: str, second: str, tutor: int, student: int, constraint: str
) -> None:
    diary.execute(LESSON, **lesson(1, 11, 22, "10:00", "11:00", first))
    with pytest.raises(IntegrityError, match=constraint) as caught:
        diary.execute(LESSON, **lesson(2, tutor, student, "10:59", "12:00", second))
    assert isinstance(caught.value.orig, ExclusionViolation)


def test_the_second_student_of_a_group_with_another_tutor(diary: Diary) -> None:
    diary.execute(LESSON, **lesson(1, 11, 22, "10:00", "11:00", "scheduled"))
    diary.execute(SEAT, id=1, student=25)
    diary.execute(LESSON, **lesson(2, 14, 22, "11:00", "12:00", "scheduled"))
    diary.execute(SEAT, id=2, student=25)
    with pytest.raises(IntegrityError, match="ex_schedule_participants_student_id"):
        diary.execute(
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
    diary: Diary, tutor: int, student: int | None, start: str, end: str, status: str
) -> None:
    diary.execute(LESSON, **lesson(1, 11, 22, "10:00", "11:00", "scheduled"))
    diary.execute(LESSON, **lesson(2, tutor, student, start, end, status))


@pytest.mark.parametrize(
    ("tutor_id", "student_id", "reason"),
    [(11, 25, "tutor-busy"), (14, 22, "student-busy")],
)
@pytest.mark.parametrize("status", ["scheduled", "in_progress"])
def test_the_room_says_who_is_busy(diary: Diary, tutor_id: int, student_id: int, reason: str, status: str) -> None:
    other = diary.lesson("2026-05-04")
    diary.execute("UPDATE tutor_schedules SET status = :status", status=status)
    with pytest.raises(LessonConflict) as caught:
        diary.lesson(
            "2026-05-04", "10:30", "11:30", tutor_id=tutor_id, person=SeriesMember(student_id, diary.second_booking_id)
        )
    [conflict] = caught.value.members["conflicts"]
    assert (conflict["reason"], conflict["schedule_id"], conflict.get("student_id")) == (
        reason,
        other,
        None if reason == "tutor-busy" else student_id,
    )


def test_the_second_student_of_a_group_is_busy_too(diary: Diary) -> None:
    series = diary.series("FREQ=DAILY", people=[diary.first, diary.second])
    with pytest.raises(LessonConflict) as caught:
        diary.lesson("2026-05-05", tutor_id=14, person=SeriesMember(25, diary.school.other_booking_id))
    assert caught.value.members["conflicts"][0]["schedule_id"] == series.first[1].id


@pytest.mark.parametrize("pattern", [None, "FREQ=DAILY"])
def test_who_comes_second_in_a_race_learns_what_was_first(diary: Diary, pattern: str | None) -> None:
    """The other lesson is stored after ours has looked, and committed while ours is being written."""
    with ThreadPoolExecutor(1) as pool:
        with diary.database.transaction() as session:
            session.execute(text(LESSON), lesson(101, 11, 25, "07:30", "08:30", "scheduled"))
            second = pool.submit(diary.series if pattern else diary.lesson, pattern or "2026-05-04")
            wait_for(lambda: waits_for_a_lock(diary.database))
            assert not second.done()
        with pytest.raises(LessonConflict, match="lesson 101 "):
            second.result(timeout=PATIENCE)
    assert len(diary.rows()) == 1


def test_two_who_wait_for_each_other_are_both_answered(diary: Diary) -> None:
    """Each has stored what the other wants next: the database calls that a deadlock and stops one of them."""
    diary.lesson("2026-05-20", person=diary.second)
    with ThreadPoolExecutor(1) as pool:
        with diary.database.transaction() as session:
            # Ours holds the 6th of May; the series, in order of days, takes the 4th and 5th and waits for us.
            session.execute(text(LESSON), lesson(102, 14, 22, "07:00", "08:00", "scheduled"))
            session.execute(
                text(
                    "UPDATE tutor_schedules SET starts_at = starts_at + interval '2 d',"
                    " ends_at = ends_at + interval '2 d' WHERE id = 102"
                )
            )
            second = pool.submit(diary.series, "FREQ=DAILY;COUNT=3", skip_conflicts=True)
            wait_for(lambda: waits_for_a_lock(diary.database))
            assert not second.done()
            first = []
            with suppress(IntegrityError, OperationalError), session.begin_nested():
                session.execute(text(LESSON), lesson(103, 14, 22, "07:00", "08:00", "scheduled"))
                first.append(103)
        series = second.result(timeout=PATIENCE)
    days = diary.days(series.series_id)
    assert days == (["05-05"] if first else ["05-04", "05-05"])
    assert {skip[2] for skip in diary.skips()} == {"student-busy"}
