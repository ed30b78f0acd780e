"""A tutor's free time, and booking parts of it."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.schedules.conftest import ScheduleFixture
from worker.errors import Conflict, Forbidden, InvalidInput, NotFound
from worker.recurrence.instants import Instants
from worker.schedules.cancelling import LessonCancellation
from worker.schedules.conflicts.clash import LessonConflict
from worker.schedules.date_range import Range
from worker.schedules.reserve_slot import SlotReservation
from worker.schedules.slots import FreePart, free_parts, list_slots

EIGHT = datetime(2026, 5, 4, 8, tzinfo=UTC)


def at(begin: float, end: float) -> Instants:
    """Hours from eight on."""
    return Instants(EIGHT + timedelta(hours=begin), EIGHT + timedelta(hours=end))


@pytest.mark.parametrize(
    ("lessons", "free"),
    [
        ([], [(0, 4)]),
        ([(-2, -1), (-1, 0), (4, 5), (6, 7)], [(0, 4)]),
        ([(1, 2)], [(0, 1), (2, 4)]),
        ([(-1, 1), (1, 2), (3, 5)], [(2, 3)]),
        ([(0, 4)], []),
        ([(-1, 5)], []),
    ],
)
def test_free_time_is_what_lessons_leave(lessons: list[Any], free: list[Any]) -> None:
    free_times = free_parts(at(0, 4), [at(*lesson) for lesson in lessons])
    assert free_times == [FreePart(*at(*lesson), whole=lesson == (0, 4)) for lesson in free]


Book = Callable[..., Any]


@pytest.fixture
def book(schedules: ScheduleFixture) -> Book:
    def _book(schedule_id: int, caller: Any = None, **who: Any) -> Any:
        with schedules.database.transaction() as session:
            reservation = SlotReservation(schedule_id, who.get("student_id"), who.get("booking_id"), schedules.now)
            return reservation.apply(session, caller or schedules.school.student)

    return _book


def free(schedules: ScheduleFixture, tutor_id: int = 11) -> list[tuple[int, str, bool]]:
    with schedules.database.transaction() as session:
        window = Range(date(2026, 5, 1), date(2026, 6, 30))
        slots, _ = list_slots(session, tutor_id, window, now=schedules.now, after=None, limit=100)
    return [
        (lesson.schedule_id, f"{lesson.starts_at:%d %H:%M}-{lesson.ends_at:%H:%M}", lesson.bookable) for lesson in slots
    ]


def test_a_booked_slot_is_a_lesson_of_its_student(schedules: ScheduleFixture, book: Book) -> None:
    slot = schedules.lesson("2026-05-04", free=True)
    book(slot)
    [row] = schedules.rows()
    assert (row.student_id, row.student_name, row.booking_id) == (22, "student 2", schedules.booking_id)
    assert (row.booked_at, row.sequence, row.status) == (schedules.now, 1, "scheduled")
    assert schedules.participants() == [(slot, 22, "scheduled")]
    assert free(schedules) == []


def test_free_time_is_slots_less_lessons(schedules: ScheduleFixture) -> None:
    first_slot = schedules.lesson("2026-05-04", "08:00", "12:00", free=True)
    second_slot = schedules.lesson("2026-05-05", "08:00", "09:00", free=True)
    schedules.lesson("2026-05-04", "09:00", "10:00")
    assert free(schedules) == [
        (first_slot, "04 05:00-06:00", False),
        (first_slot, "04 07:00-09:00", False),
        (second_slot, "05 05:00-06:00", True),
    ]
    assert free(schedules, 14) == []
    schedules.now += timedelta(days=4)
    assert free(schedules) == []
    with pytest.raises(NotFound):
        free(schedules, 99)


def test_a_parent_books_for_a_child_of_theirs(schedules: ScheduleFixture, book: Book) -> None:
    slot = schedules.lesson("2026-05-04", free=True)
    with pytest.raises(InvalidInput, match="student_id is missing"):
        book(slot, schedules.school.parent)
    with pytest.raises(InvalidInput, match="neither you nor a child"):
        book(slot, schedules.school.parent, student_id=25)
    assert book(slot, schedules.school.parent, student_id=22).student_id == 22


@pytest.mark.parametrize("who", ["tutor", "other_tutor"])
def test_tutors_book_nothing(schedules: ScheduleFixture, book: Book, who: str) -> None:
    with pytest.raises(Forbidden):
        book(schedules.lesson("2026-05-04", free=True), getattr(schedules.school, who))


def test_what_is_no_free_slot_cannot_be_booked(schedules: ScheduleFixture, book: Book) -> None:
    lesson = schedules.lesson("2026-05-04")
    with pytest.raises(NotFound):
        book(lesson, schedules.school.other_student)
    with pytest.raises(NotFound):
        book(99)
    slot = schedules.lesson("2026-05-05", free=True)
    book(slot)
    with pytest.raises(Conflict, match="not free any more"):
        book(slot, schedules.school.other_student)
    late = schedules.lesson("2026-05-06", free=True)
    schedules.now += timedelta(days=6)
    with pytest.raises(Conflict, match="not free any more"):
        book(late)


def test_a_row_that_names_somebody_without_an_account_is_no_free_slot(schedules: ScheduleFixture, book: Book) -> None:
    slot = schedules.lesson("2026-05-04", free=True)
    with schedules.database.transaction() as session:
        session.execute(text("UPDATE tutor_schedules SET student_name = 'Somebody Gone'"))
    assert free(schedules) == []
    with pytest.raises(Conflict):
        book(slot)


def test_a_slot_that_a_lesson_covers_in_part_is_refused_with_its_name(schedules: ScheduleFixture, book: Book) -> None:
    slot = schedules.lesson("2026-05-04", "08:00", "12:00", free=True)
    lesson = schedules.lesson("2026-05-04", "09:00", "10:00", person=schedules.second)
    with pytest.raises(LessonConflict) as caught:
        book(slot)
    assert caught.value.members["conflicts"][0]["schedule_id"] == lesson


def test_a_booking_that_is_named_must_fit(schedules: ScheduleFixture, book: Book) -> None:
    slot = schedules.lesson("2026-05-04", free=True)
    for wrong in (schedules.school.other_booking_id, 999):
        with pytest.raises(InvalidInput, match="no active booking"):
            book(slot, booking_id=wrong)
    assert book(slot, booking_id=schedules.booking_id).booking_id == schedules.booking_id


def test_two_students_want_one_slot(schedules: ScheduleFixture, book: Book) -> None:
    slot = schedules.lesson("2026-05-04", free=True)

    def attempt(caller: Any) -> str:
        try:
            book(slot, caller)
        except Conflict as error:
            return error.detail
        return "booked"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(attempt, (schedules.school.student, schedules.school.other_student)))
    assert sorted(results) == [f"Slot {slot} is not free any more.", "booked"]
    assert len(schedules.participants()) == 1


@pytest.mark.parametrize("who", ["student", "parent"])
def test_a_student_gives_back_what_they_booked(schedules: ScheduleFixture, book: Book, who: str) -> None:
    slot = schedules.lesson("2026-05-04", free=True)
    book(slot)
    with schedules.database.transaction() as session:
        LessonCancellation(slot, "one", schedules.now).apply(session, getattr(schedules.school, who))
    [row] = schedules.rows()
    assert (row.student_id, row.student_name, row.booking_id, row.booked_at, row.status, row.sequence) == (
        None,
        None,
        None,
        None,
        "scheduled",
        2,
    )
    assert schedules.participants() == []
    assert free(schedules) == [(slot, "04 07:00-08:00", True)]


def test_an_unrelated_person_does_not(schedules: ScheduleFixture, book: Book) -> None:
    slot = schedules.lesson("2026-05-04", free=True)
    book(slot)
    for caller, error in ((schedules.school.other_student, NotFound), (schedules.school.student, Forbidden)):
        scope = "one" if error is NotFound else "all"
        with pytest.raises(error), schedules.database.transaction() as session:
            LessonCancellation(slot, scope, schedules.now).apply(session, caller)


def test_pausing_a_booking_stops_its_slots_and_resuming_brings_them_back(
    schedules: ScheduleFixture, book: Book
) -> None:
    schedules.series("FREQ=DAILY;COUNT=2", people=[])
    book(1)
    schedules.book_status(schedules.booking_id, "paused")
    assert schedules.days() == ["05-05"]
    schedules.book_status(schedules.booking_id, "active")
    assert schedules.days() == ["05-04", "05-05"]
