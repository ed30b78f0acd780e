"""Lessons stop, come back and end with their bookings."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.workflows.conftest import BookingFixture

LATER = timedelta(days=9)


def statuses(bookings: BookingFixture) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = bookings.sql(
        "SELECT status, cancelled_by, count(*) FROM tutor_schedules GROUP BY 1, 2"
    )
    return sorted(rows)


def series_status(bookings: BookingFixture) -> str:
    return str(bookings.sql("SELECT status FROM schedule_series")[0][0])


def test_pausing_calls_the_lessons_off_and_resuming_brings_the_same_back(bookings: BookingFixture) -> None:
    booking_id = bookings.accept(bookings.ask()).booking.id
    before = bookings.lessons()
    bookings.change(booking_id, status="paused")
    assert (bookings.lessons(), series_status(bookings)) == ([], "paused")
    assert statuses(bookings) == [("cancelled", "series", 13)]
    bookings.change(booking_id, status="active")
    assert (bookings.lessons(), series_status(bookings)) == (before, "active")
    # Each change is one that calendars show.
    assert bookings.sql("SELECT DISTINCT sequence FROM tutor_schedules") == [(2,)]


def test_what_was_held_and_what_was_paused_away_stays(bookings: BookingFixture) -> None:
    booking_id = bookings.accept(bookings.ask()).booking.id
    first = bookings.lessons()[0][0]
    bookings.change(booking_id, now=bookings.now + timedelta(days=2), status="paused")
    assert [lesson[0] for lesson in bookings.lessons()] == [first]
    # The lesson of the ninth of March was in the pause.
    bookings.change(booking_id, now=bookings.now + LATER, status="active")
    assert [day for _, day, *_ in bookings.lessons()][:2] == [date(2026, 3, 2), date(2026, 3, 16)]


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_an_ended_booking_ends_its_lessons_for_good(bookings: BookingFixture, end: str) -> None:
    request_id = bookings.ask()
    booking_id = bookings.accept(request_id).booking.id
    bookings.change(booking_id, status=end)
    assert (bookings.lessons(), series_status(bookings)) == ([], end)
    # A new booking has lessons of its own.
    again = bookings.accept(bookings.ask())
    assert len(bookings.lessons()) == 13
    assert again.booking.id != booking_id
    assert {status for status, *_ in bookings.sql("SELECT status FROM schedule_series")} == {end, "active"}


def test_the_others_of_a_group_go_on(bookings: BookingFixture) -> None:
    first = bookings.accept(bookings.ask()).booking
    second = bookings.accept(bookings.ask(bookings.school.other_student)).booking
    before = bookings.lessons()
    assert {(student, tuple(students)) for _, _, student, students in before} == {(22, (22, 25))}
    bookings.change(first.id, status="paused")
    during = bookings.lessons()
    assert [lesson[:2] for lesson in during] == [lesson[:2] for lesson in before]
    assert {(student, tuple(students)) for _, _, student, students in during} == {(25, (25,))}
    named = bookings.sql("SELECT DISTINCT student_name, booking_id FROM tutor_schedules")
    assert named == [("student 5", second.id)]
    assert series_status(bookings) == "active"
    bookings.change(first.id, status="active")
    assert bookings.lessons() == before
    bookings.change(second.id, status="completed")
    assert {(student, tuple(students)) for _, _, student, students in bookings.lessons()} == {(22, (22,))}


def test_a_student_who_joins_wakes_the_series_of_one_who_pauses(bookings: BookingFixture) -> None:
    first = bookings.accept(bookings.ask())
    ids = [lesson[0] for lesson in bookings.lessons()]
    bookings.change(first.booking.id, status="paused")
    second = bookings.accept(bookings.ask(bookings.school.other_student))
    assert second.series_id == first.series_id
    assert [lesson[0] for lesson in bookings.lessons()] == ids
    assert {tuple(students) for *_, students in bookings.lessons()} == {(25,)}
    bookings.change(first.booking.id, status="active")
    assert {tuple(students) for *_, students in bookings.lessons()} == {(22, 25)}


def test_the_last_day_of_a_booking_ends_its_lessons(bookings: BookingFixture) -> None:
    booking_id = bookings.accept(bookings.ask()).booking.id
    before = bookings.lessons()
    bookings.change(booking_id, end_date=date(2026, 3, 16))
    assert bookings.lessons() == before[:3]
    bookings.change(booking_id, end_date=date(2026, 3, 22))
    assert bookings.lessons() == before[:3]
    bookings.change(booking_id, end_date=None)
    assert bookings.lessons() == before
    bookings.change(booking_id, start_date=date(2026, 3, 10))
    assert bookings.lessons() == before[2:]


def test_other_changes_leave_lessons_alone(bookings: BookingFixture) -> None:
    booking_id = bookings.accept(bookings.ask()).booking.id
    bookings.change(booking_id, notes="Bring a ruler.", price_per_session=100, status="active")
    assert bookings.sql("SELECT DISTINCT sequence FROM tutor_schedules") == [(0,)]
