"""Lessons stop, come back and end with their bookings."""

from datetime import date, timedelta
from typing import Any

import pytest

from tests.workflows.conftest import Office

LATER = timedelta(days=9)


def statuses(office: Office) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = office.sql("SELECT status, cancelled_by, count(*) FROM tutor_schedules GROUP BY 1, 2")
    return sorted(rows)


def series_status(office: Office) -> str:
    return str(office.sql("SELECT status FROM schedule_series")[0][0])


def test_pausing_calls_the_lessons_off_and_resuming_brings_the_same_back(office: Office) -> None:
    booking_id = office.accept(office.ask()).booking.id
    before = office.lessons()
    office.change(booking_id, status="paused")
    assert (office.lessons(), series_status(office)) == ([], "paused")
    assert statuses(office) == [("cancelled", "series", 13)]
    office.change(booking_id, status="active")
    assert (office.lessons(), series_status(office)) == (before, "active")
    # Each change is one that calendars show.
    assert office.sql("SELECT DISTINCT sequence FROM tutor_schedules") == [(2,)]


def test_what_was_held_and_what_was_paused_away_stays(office: Office) -> None:
    booking_id = office.accept(office.ask()).booking.id
    first = office.lessons()[0][0]
    office.change(booking_id, now=office.now + timedelta(days=2), status="paused")
    assert [one[0] for one in office.lessons()] == [first]
    # The lesson of the ninth of March was in the pause.
    office.change(booking_id, now=office.now + LATER, status="active")
    assert [day for _, day, *_ in office.lessons()][:2] == [date(2026, 3, 2), date(2026, 3, 16)]


@pytest.mark.parametrize("end", ["completed", "cancelled"])
def test_an_ended_booking_ends_its_lessons_for_good(office: Office, end: str) -> None:
    request_id = office.ask()
    booking_id = office.accept(request_id).booking.id
    office.change(booking_id, status=end)
    assert (office.lessons(), series_status(office)) == ([], end)
    # A new booking has lessons of its own.
    again = office.accept(office.ask())
    assert len(office.lessons()) == 13
    assert again.booking.id != booking_id
    assert {status for status, *_ in office.sql("SELECT status FROM schedule_series")} == {end, "active"}


def test_the_others_of_a_group_go_on(office: Office) -> None:
    first = office.accept(office.ask()).booking
    second = office.accept(office.ask(office.school.other_student)).booking
    before = office.lessons()
    assert {(student, tuple(students)) for _, _, student, students in before} == {(22, (22, 25))}
    office.change(first.id, status="paused")
    during = office.lessons()
    assert [one[:2] for one in during] == [one[:2] for one in before]
    assert {(student, tuple(students)) for _, _, student, students in during} == {(25, (25,))}
    named = office.sql("SELECT DISTINCT student_name, booking_id FROM tutor_schedules")
    assert named == [("student 5", second.id)]
    assert series_status(office) == "active"
    office.change(first.id, status="active")
    assert office.lessons() == before
    office.change(second.id, status="completed")
    assert {(student, tuple(students)) for _, _, student, students in office.lessons()} == {(22, (22,))}


def test_a_student_who_joins_wakes_the_series_of_one_who_pauses(office: Office) -> None:
    first = office.accept(office.ask())
    ids = [one[0] for one in office.lessons()]
    office.change(first.booking.id, status="paused")
    second = office.accept(office.ask(office.school.other_student))
    assert second.series_id == first.series_id
    assert [one[0] for one in office.lessons()] == ids
    assert {tuple(students) for *_, students in office.lessons()} == {(25,)}
    office.change(first.booking.id, status="active")
    assert {tuple(students) for *_, students in office.lessons()} == {(22, 25)}


def test_the_last_day_of_a_booking_ends_its_lessons(office: Office) -> None:
    booking_id = office.accept(office.ask()).booking.id
    before = office.lessons()
    office.change(booking_id, end_date=date(2026, 3, 16))
    assert office.lessons() == before[:3]
    office.change(booking_id, end_date=date(2026, 3, 22))
    assert office.lessons() == before[:3]
    office.change(booking_id, end_date=None)
    assert office.lessons() == before
    office.change(booking_id, start_date=date(2026, 3, 10))
    assert office.lessons() == before[2:]


def test_other_changes_leave_lessons_alone(office: Office) -> None:
    booking_id = office.accept(office.ask()).booking.id
    office.change(booking_id, notes="Bring a ruler.", price_per_session=100, status="active")
    assert office.sql("SELECT DISTINCT sequence FROM tutor_schedules") == [(0,)]
