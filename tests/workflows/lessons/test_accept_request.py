"""A request becomes a booking with lessons: atomically, once, and shared by the students of a package."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.workflows.conftest import BookingFixture
from worker.bookings.requests import NewRequest, reject_request
from worker.errors import Conflict, Forbidden, InvalidInput, NotFound
from worker.schedules.conflicts.clash import LessonConflict
from worker.workflows.lessons.accept_request import accept_request
from worker.workflows.lessons.session_requests import request_lessons

# A Monday, 11:00 in Addis Ababa: `bookings.now`.
NOW = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
ZONE = "Africa/Addis_Ababa"
MONDAYS = {"recurrence_pattern": "every Monday", "start_time": "14:00", "end_time": "15:30"}


def mondays(first: date, last: date) -> list[date]:
    return [first + timedelta(days=each) for each in range(0, (last - first).days + 1, 7)]


def test_accepting_makes_the_booking_its_series_and_its_lessons(bookings: BookingFixture) -> None:
    request_id = bookings.ask()
    accepted = bookings.accept(request_id)
    booking = accepted.booking
    assert (accepted.request.status, accepted.request.responded_at) == ("accepted", NOW)
    assert accepted.request.booking_id == booking.id
    assert (booking.tutor_id, booking.student_id, booking.status) == (11, 22, "active")
    assert (booking.subject, booking.package_name, booking.grade_level) == ("Algebra", "Algebra", "Grade 9")
    assert (booking.sessions_per_week, booking.session_duration) == (1, 90)
    assert (booking.start_date, booking.end_date) == (date(2026, 3, 2), None)
    assert accepted.text == "Every Monday, 14:00 to 15:30 (Africa/Addis_Ababa)"
    # Ninety days ahead, not the eight weeks that the platform stores once.
    assert bookings.days() == mondays(date(2026, 3, 2), date(2026, 5, 31))
    rows = bookings.sql(
        "SELECT DISTINCT series_id, booking_id, subject, grade_level, student_id, is_recurring FROM tutor_schedules"
    )
    assert rows == [(accepted.series_id, booking.id, "Algebra", "Grade 9", 22, True)]
    starts = bookings.sql("SELECT min(starts_at) FROM tutor_schedules")[0][0]
    assert starts == datetime(2026, 3, 2, 11, 0, tzinfo=UTC)


def test_what_the_tutor_says_of_the_booking_counts(bookings: BookingFixture) -> None:
    values = {"subject": "Mathematics", "session_type": "hybrid", "start_date": date(2026, 3, 10), "grade_level": "10"}
    booking = bookings.accept(bookings.ask(), values=values).booking
    assert {name: getattr(booking, name) for name in values} == values
    assert bookings.days()[0] == date(2026, 3, 16)
    assert bookings.sql("SELECT DISTINCT subject, session_format FROM tutor_schedules") == [("Mathematics", "hybrid")]


def test_without_times_there_is_a_booking_and_nothing_else(bookings: BookingFixture) -> None:
    for schedule, package_name in ((None, "One"), ({}, "Two"), ({"days": None, "start_time": None}, "Three")):
        accepted = bookings.accept(bookings.ask(schedule=schedule, package_name=package_name))
        assert (accepted.series_id, accepted.text, accepted.conflicts) == (None, None, ())
        assert accepted.booking.start_date == date(2026, 3, 2)
    assert (bookings.count("schedule_series"), bookings.count("tutor_schedules")) == (0, 0)


def test_a_parents_child_is_enrolled(bookings: BookingFixture) -> None:
    assert bookings.accept(bookings.ask(bookings.school.parent, student_id=22)).booking.student_id == 22


def test_accepting_twice_does_it_once(bookings: BookingFixture) -> None:
    request_id = bookings.ask()
    first = bookings.accept(request_id)
    before = bookings.lessons()
    again = bookings.accept(request_id, values={"subject": "Other"}, now=NOW + timedelta(hours=1))
    assert (again.booking.id, again.series_id, again.text) == (first.booking.id, first.series_id, first.text)
    assert (again.booking.subject, again.request.responded_at) == ("Algebra", NOW)
    assert bookings.lessons() == before
    assert bookings.count("tutor_student_bookings") == 2 + 1


def test_accepting_twice_at_once_does_it_once(bookings: BookingFixture) -> None:
    request_id = bookings.ask()
    with ThreadPoolExecutor(8) as threads:
        accepted = list(threads.map(lambda _: bookings.accept(request_id), range(8)))
    assert len({(acceptance.booking.id, acceptance.series_id) for acceptance in accepted}) == 1
    assert (bookings.count("tutor_student_bookings"), bookings.count("schedule_series")) == (3, 1)
    assert len(bookings.lessons()) == 13


def test_a_failure_leaves_neither_booking_nor_lessons(bookings: BookingFixture) -> None:
    request_id = bookings.ask()
    # What was made by then is flushed, and goes with the transaction.
    with pytest.raises(InvalidInput), bookings.database.transaction() as session:
        accept_request(session, bookings.school.tutor, request_id, bookings.acceptance)
        raise InvalidInput("Later in the same transaction.")
    assert (bookings.count("tutor_student_bookings"), bookings.count("schedule_series")) == (2, 0)
    assert bookings.count("tutor_schedules") == 0
    assert bookings.sql("SELECT status, booking_id FROM session_requests") == [("pending", None)]


def test_what_was_answered_stays_answered(bookings: BookingFixture) -> None:
    rejected, accepted = bookings.ask(package_name="One"), bookings.ask(package_name="Two")
    with bookings.database.transaction() as session:
        for _ in range(2):
            assert reject_request(session, bookings.school.tutor, rejected, now=NOW).status == "rejected"
    with pytest.raises(Conflict, match="rejected"):
        bookings.accept(rejected)
    bookings.accept(accepted)
    with pytest.raises(Conflict, match="accepted"), bookings.database.transaction() as session:
        reject_request(session, bookings.school.tutor, accepted, now=NOW)
    assert bookings.sql("SELECT id, status FROM session_requests ORDER BY id") == [
        (rejected, "rejected"),
        (accepted, "accepted"),
    ]


def test_only_the_tutor_who_was_asked_answers(bookings: BookingFixture) -> None:
    request_id = bookings.ask()
    with pytest.raises(Forbidden):
        bookings.accept(request_id, bookings.school.student)
    for outsider in (bookings.school.other_tutor, bookings.school.other_student, bookings.school.parent):
        with pytest.raises(NotFound):
            bookings.accept(request_id, outsider)


def test_conflicts_name_the_other_lesson_and_nothing_is_stored(bookings: BookingFixture) -> None:
    bookings.accept(
        bookings.ask(package_name="Geometry", schedule=MONDAYS | {"start_time": "15:00", "end_time": "16:00"})
    )
    other = bookings.lessons()[0][0]
    request_id = bookings.ask(bookings.school.other_student)
    with pytest.raises(LessonConflict) as caught:
        bookings.accept(request_id)
    first = caught.value.members["conflicts"][0]
    assert (first["schedule_id"], first["reason"], first["schedule_date"]) == (other, "tutor-busy", "2026-03-02")
    assert str(other) in caught.value.detail
    assert (bookings.count("tutor_student_bookings"), bookings.count("schedule_series")) == (3, 1)
    assert bookings.sql("SELECT status FROM session_requests WHERE id = :id", id=request_id) == [("pending",)]


def test_skipping_conflicts_stores_the_rest_and_says_what_not(bookings: BookingFixture) -> None:
    once = {"schedule_type": "specific", "specific_dates": ["2026-03-09"], "start_time": "15:00", "end_time": "16:00"}
    bookings.accept(bookings.ask(package_name="Geometry", schedule=once))
    other = bookings.lessons()[0][0]
    request_id = bookings.ask(bookings.school.other_student)
    accepted = bookings.accept(request_id, skip_conflicts=True)
    assert [(conflict.schedule_date, conflict.schedule_id) for conflict in accepted.conflicts] == [
        (date(2026, 3, 9), other)
    ]
    assert len(bookings.lessons()) == 13
    assert bookings.accept(request_id).conflicts == accepted.conflicts


class TestOfOnePackage:
    """Students of the same package share its lessons."""

    def test_the_second_student_joins_instead_of_doubling(self, bookings: BookingFixture) -> None:
        first = bookings.accept(bookings.ask())
        before = bookings.lessons()
        second = bookings.accept(bookings.ask(bookings.school.other_student))
        assert second.series_id == first.series_id
        assert second.booking.id != first.booking.id
        assert second.booking.sessions_per_week == 1
        after = bookings.lessons()
        assert [lesson[:3] for lesson in after] == [lesson[:3] for lesson in before]
        assert {tuple(students) for *_, students in after} == {(22, 25)}

    @pytest.mark.parametrize(
        "schedule",
        [
            None,
            {"recurrence_pattern": "FREQ=WEEKLY;BYDAY=MO"},
            {"recurrence_pattern": "weekly", "schedule_date": "2026-03-09"},
            {"schedule_type": "recurring", "days": ["Monday"], "year": 2026, "year_to": 2028},
            {"recurrence_pattern": "every Monday", "timezone": "Africa/Addis_Ababa"},
        ],
    )
    def test_the_same_lessons_in_other_words_or_none(
        self, bookings: BookingFixture, schedule: dict[str, Any] | None
    ) -> None:
        first = bookings.accept(bookings.ask())
        times = {"start_time": "14:00:00", "end_time": "15:30"}
        second_schedule = None if schedule is None else times | schedule
        second = bookings.accept(bookings.ask(bookings.school.other_student, schedule=second_schedule))
        assert second.series_id == first.series_id
        assert len(bookings.lessons()) == 13

    @pytest.mark.parametrize(
        "change",
        [
            {"start_time": "16:00", "end_time": "17:30"},
            {"recurrence_pattern": "every Tuesday"},
            {"recurrence_pattern": "every Tuesday and Thursday"},
            {"start_time": "16:00", "end_time": "17:30", "timezone": "Africa/Nairobi"},
        ],
    )
    def test_another_time_makes_a_second_series(self, bookings: BookingFixture, change: dict[str, str]) -> None:
        first = bookings.accept(bookings.ask())
        second = bookings.accept(bookings.ask(bookings.school.other_student, schedule=MONDAYS | change))
        assert second.series_id != first.series_id
        assert {tuple(students) for *_, students in bookings.lessons()} == {(22,), (25,)}

    def test_two_students_accepted_at_once_share_the_lessons(self, bookings: BookingFixture) -> None:
        requests = [bookings.ask(), bookings.ask(bookings.school.other_student)]
        with ThreadPoolExecutor(2) as threads:
            accepted = list(threads.map(bookings.accept, requests))
        assert accepted[0].series_id == accepted[1].series_id
        assert {tuple(students) for *_, students in bookings.lessons()} == {(22, 25)}

    def test_another_tutors_package_of_that_name_is_another(self, bookings: BookingFixture) -> None:
        first = bookings.accept(bookings.ask())
        with bookings.database.transaction() as session:
            values = {"package_name": "Algebra", "schedule": MONDAYS}
            new = NewRequest(14, None, values)
            request_id = request_lessons(session, bookings.school.other_student, new, now=NOW, timezone=ZONE).id
        assert bookings.accept(request_id, bookings.school.other_tutor).series_id != first.series_id

    def test_a_shorter_request_ends_that_students_booking(self, bookings: BookingFixture) -> None:
        bookings.accept(bookings.ask())
        shorter = MONDAYS | {"recurrence_pattern": "every Monday for 4 weeks"}
        second = bookings.accept(bookings.ask(bookings.school.other_student, schedule=shorter))
        assert second.booking.end_date == date(2026, 3, 23)
        assert [students for *_, students in bookings.lessons()] == [[22, 25]] * 4 + [[22]] * 9

    def test_days_that_the_second_cannot_come_stay_lessons_of_the_first(self, bookings: BookingFixture) -> None:
        bookings.accept(bookings.ask())
        bookings.accept(bookings.ask(bookings.school.other_student, schedule=MONDAYS | {"exdates": ["2026-03-16"]}))
        assert [students for *_, students in bookings.lessons()][:4] == [[22, 25], [22, 25], [22], [22, 25]]

    def test_who_has_the_lessons_already_cannot_have_them_twice(self, bookings: BookingFixture) -> None:
        first = bookings.accept(bookings.ask())
        again = bookings.ask()
        with pytest.raises(Conflict, match="already") as caught:
            bookings.accept(again)
        assert caught.value.members["booking_id"] == first.booking.id
        # With the old booking over, they may come back.
        bookings.accept(bookings.ask(bookings.school.other_student))
        bookings.change(first.booking.id, status="completed")
        assert bookings.accept(again).series_id == first.series_id
        assert {tuple(students) for *_, students in bookings.lessons()} == {(22, 25)}

    def test_who_is_busy_is_named(self, bookings: BookingFixture) -> None:
        bookings.accept(bookings.ask())
        with bookings.database.transaction() as session:
            session.execute(
                text(
                    """
                    WITH lesson AS (
                        INSERT INTO tutor_schedules
                               (tutor_id, schedule_date, start_time, end_time, timezone, student_id, starts_at, ends_at)
                        VALUES (14, '2026-03-16', '15:00', '16:00', 'Africa/Addis_Ababa', 25,
                                '2026-03-16T12:00Z', '2026-03-16T13:00Z') RETURNING *)
                    INSERT INTO schedule_participants (schedule_id, student_id, starts_at, ends_at, status)
                    SELECT id, student_id, starts_at, ends_at, status FROM lesson
                    """
                )
            )
        request_id = bookings.ask(bookings.school.other_student)
        with pytest.raises(LessonConflict) as caught:
            bookings.accept(request_id)
        assert [(member["reason"], member["student_id"]) for member in caught.value.members["conflicts"]] == [
            ("student-busy", 25)
        ]
        assert {tuple(students) for *_, students in bookings.lessons() if students} == {(22,)}
        accepted = bookings.accept(request_id, skip_conflicts=True)
        assert [conflict.schedule_date for conflict in accepted.conflicts] == [date(2026, 3, 16)]
        assert [students for *_, students in bookings.lessons()][:4] == [[22, 25], [22, 25], [22], [22, 25]]


class TestWhatThePlatformGetsWrong:
    """Real payloads of its form, each of which loses lessons there."""

    def test_days_with_a_leading_space(self, bookings: BookingFixture) -> None:
        schedule = {
            "schedule_type": "recurring",
            "months": None,
            "days": ["Monday", " Tuesday", " Wednesday", " Friday"],
            "specific_dates": None,
            "start_time": "09:00",
            "end_time": "17:00",
        }
        accepted = bookings.accept(bookings.ask(schedule=schedule))
        assert accepted.booking.sessions_per_week == 4
        # It is 11:00 on Monday: the lesson of today has begun.
        assert bookings.days()[:5] == [date(2026, 3, day) for day in (3, 4, 6, 9, 10)]

    def test_year_to_and_months(self, bookings: BookingFixture) -> None:
        schedule = {
            "schedule_type": "recurring",
            "year": 2026,
            "year_to": 2027,
            "months": ["March", "January"],
            "days": ["Monday"],
            "start_time": "09:00",
            "end_time": "10:00",
        }
        request_id = bookings.ask(schedule=schedule, now=datetime(2026, 2, 1, tzinfo=UTC))
        bookings.accept(request_id, now=datetime(2026, 2, 1, tzinfo=UTC), horizon_days=366)
        expected = mondays(date(2026, 3, 2), date(2026, 3, 30)) + mondays(date(2027, 1, 4), date(2027, 1, 25))
        assert bookings.days() == [*expected, date(2027, 3, 1)]

    @pytest.mark.parametrize("schedule_type", ["specific", "specific_dates"])
    def test_both_words_for_single_dates(self, bookings: BookingFixture, schedule_type: str) -> None:
        schedule = {
            "schedule_type": schedule_type,
            "months": [],
            "days": [],
            "specific_dates": ["2026-03-20", "2026-03-05", "2026-02-20"],
            "start_time": "18:00",
            "end_time": "19:00",
        }
        booking = bookings.accept(bookings.ask(schedule=schedule)).booking
        # No lesson is made for a day that was over when the tutor accepted.
        assert bookings.days() == [date(2026, 3, 5), date(2026, 3, 20)]
        assert (booking.start_date, booking.sessions_per_week) == (date(2026, 3, 5), None)

    def test_one_date_is_shared_by_a_package_too(self, bookings: BookingFixture) -> None:
        schedule = {"specific_dates": ["2026-03-20"], "start_time": "18:00", "end_time": "19:00"}
        for who in (bookings.school.student, bookings.school.other_student):
            bookings.accept(bookings.ask(who, schedule=schedule))
        assert [students for *_, students in bookings.lessons()] == [[22, 25]]

    def test_an_end_before_the_start_is_the_next_day(self, bookings: BookingFixture) -> None:
        schedule = MONDAYS | {"start_time": "23:30", "end_time": "00:30"}
        assert bookings.accept(bookings.ask(schedule=schedule)).booking.session_duration == 60

    def test_a_request_whose_times_are_over_when_it_is_read_is_not_accepted(self, bookings: BookingFixture) -> None:
        schedule = {"specific_dates": ["2026-03-05"], "start_time": "18:00", "end_time": "19:00"}
        request_id = bookings.ask(schedule=schedule)
        with pytest.raises(InvalidInput, match="is in the future"):
            bookings.accept(request_id, now=NOW + timedelta(days=30))
        with pytest.raises(InvalidInput, match="is in the future"):
            bookings.ask(package_name="Late", schedule=schedule, now=NOW + timedelta(days=30))


class TestOlderRows:
    """Requests that the platform wrote, without our columns."""

    def insert(self, bookings: BookingFixture, **columns: Any) -> int:
        values = {"tutor_id": 11, "package_name": "Algebra"} | columns
        names, placeholders = ", ".join(values), ", ".join(f":{name}" for name in values)
        into = f"session_requests ({names}) VALUES ({placeholders})"
        return int(bookings.sql(f"INSERT INTO {into} RETURNING id", **values)[0][0])

    def test_a_student_who_asked(self, bookings: BookingFixture) -> None:
        request_id = self.insert(bookings, requester_id=22, requester_type="student")
        assert bookings.accept(request_id).booking.student_id == 22

    def test_a_parent_who_did_not_say_for_whom(self, bookings: BookingFixture) -> None:
        request_id = self.insert(bookings, requester_id=33, requester_type="parent")
        with pytest.raises(Conflict, match="which child"):
            bookings.accept(request_id)

    @pytest.mark.parametrize(
        "schedule",
        ['{"days": 5, "start_time": "14:00", "end_time": "15:00"}', '{"start_time": "25:00", "end_time": []}', "[]"],
    )
    def test_times_that_nobody_understands(self, bookings: BookingFixture, schedule: str) -> None:
        request_id = self.insert(bookings, requester_id=22, requester_type="student", schedule=schedule)
        if schedule == "[]":
            assert bookings.accept(request_id).series_id is None
        else:
            with pytest.raises(InvalidInput):
                bookings.accept(request_id)
