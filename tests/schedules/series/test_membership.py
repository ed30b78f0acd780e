"""Series are created completely or not at all; students join them and leave them with their bookings."""

from datetime import date

import pytest

from tests.schedules.conftest import ScheduleFixture
from worker.errors import InvalidInput
from worker.recurrence.platform_form import PlatformForm
from worker.schedules.conflicts.clash import LessonConflict
from worker.schedules.series.membership import SeriesMember, package_series

MONDAYS = ["05-04", "05-11", "05-18", "05-25", "06-01"]


def test_a_series_stores_its_lessons_with_their_student(schedules: ScheduleFixture) -> None:
    creation = schedules.series()
    assert (creation.lessons, creation.conflicts, creation.schedule_id) == (5, [], None)
    assert "Monday" in creation.text
    rows = schedules.rows(creation.series_id)
    assert schedules.days() == MONDAYS
    assert [row.id for row in rows] == [lesson.id for lesson in creation.first]
    for row in rows:
        assert (row.student_id, row.student_name, row.booking_id) == (22, "student 2", schedules.booking_id)
        assert (row.is_recurring, row.subject, row.occurrence_date) == (True, "Mathematics", row.schedule_date)
        assert f"{row.starts_at:%H:%M %Z} {row.ends_at:%H:%M}" == "07:00 UTC 08:00"
        assert row.tzdata_version
    assert schedules.participants() == [(row.id, 22, "scheduled") for row in rows]
    [series] = schedules.execute("SELECT * FROM schedule_series")
    assert (series.rrule, series.has_students, f"{series.expanded_until:%m-%d}") == (
        "FREQ=WEEKLY;BYDAY=MO",
        True,
        "06-01",
    )


def test_a_series_without_students_is_free_slots_which_take_nobodys_time(schedules: ScheduleFixture) -> None:
    schedules.series()
    assert schedules.series(people=[]).conflicts == []
    slots = [row for row in schedules.rows() if row.student_id is None]
    assert len(slots) == 5
    assert len(schedules.participants()) == 5


def test_excluded_days_are_recorded_beyond_the_horizon_too(schedules: ScheduleFixture) -> None:
    schedules.series(exdates=["2026-05-11", "2026-06-15"])
    assert schedules.days() == ["05-04", "05-18", "05-25", "06-01"]
    assert schedules.skips() == [("05-11", None, "excluded", None), ("06-15", None, "excluded", None)]
    schedules.fill(horizon_days=50)
    assert schedules.days() == ["05-04", "05-18", "05-25", "06-01", "06-08", "06-22"]


def test_dates_are_a_series_as_well(schedules: ScheduleFixture) -> None:
    series = schedules.series(
        None, form=PlatformForm("specific", specific_dates=["2026-05-09", "2026-05-06", "2026-09-01"])
    )
    assert schedules.days(series.series_id) == ["05-06", "05-09"]
    schedules.fill(horizon_days=200)
    assert schedules.days(series.series_id) == ["05-06", "05-09", "09-01"]


def test_what_was_taught_can_be_entered_a_year_back_and_no_farther(schedules: ScheduleFixture) -> None:
    series = schedules.series("FREQ=WEEKLY;COUNT=2", day="2025-05-05")
    assert series.lessons == 2
    with pytest.raises(InvalidInput, match="2025-04-30 or later"):
        schedules.series("FREQ=WEEKLY", day="2025-04-29")


def test_a_conflict_names_the_other_lesson_and_stores_nothing(schedules: ScheduleFixture) -> None:
    schedules.lesson("2026-05-11", "10:30", "11:30", person=schedules.second)
    with pytest.raises(LessonConflict, match=r"lesson 1 .* 2026-05-11") as caught:
        schedules.series()
    [conflict] = caught.value.members["conflicts"]
    assert conflict == {
        "schedule_date": "2026-05-11",
        "starts_at": "2026-05-11T07:00:00+00:00",
        "ends_at": "2026-05-11T08:00:00+00:00",
        "reason": "tutor-busy",
        "schedule_id": 1,
    }
    assert len(schedules.rows()) == 1
    assert schedules.execute("SELECT * FROM schedule_series") == []


def test_skipping_conflicts_stores_the_rest_and_says_why(schedules: ScheduleFixture) -> None:
    mine = schedules.lesson("2026-05-11", "10:30", "11:30", person=schedules.second)
    theirs = schedules.lesson("2026-05-18", "09:30", "10:30", tutor_id=14)
    series = schedules.series(skip_conflicts=True)
    assert series.lessons == 3
    assert schedules.days(series.series_id) == ["05-04", "05-25", "06-01"]
    assert schedules.skips() == [("05-11", None, "tutor-busy", mine), ("05-18", 22, "student-busy", theirs)]
    assert [(conflict.reason, conflict.schedule_id) for conflict in series.conflicts] == [
        ("tutor-busy", mine),
        ("student-busy", theirs),
    ]
    assert schedules.reconcile(series.series_id) == []


def test_lessons_that_touch_do_not_collide(schedules: ScheduleFixture) -> None:
    schedules.lesson("2026-05-11", "09:00", "10:00")
    schedules.lesson("2026-05-11", "11:00", "12:00")
    assert schedules.series().lessons == 5


def test_a_second_student_joins_the_lessons_instead_of_doubling_them(schedules: ScheduleFixture) -> None:
    series = schedules.series(package_name="Grade 10")
    with schedules.database.transaction() as session:
        [package] = package_series(session, 11, "Grade 10")
        assert package.id == series.series_id
        assert package_series(session, 14, "Grade 10") == []
    assert schedules.join(series.series_id, schedules.second) == []
    assert schedules.join(series.series_id, schedules.second) == []
    rows = schedules.rows()
    assert schedules.days() == MONDAYS
    assert {row.student_id for row in rows} == {22}
    assert [seat[1] for seat in schedules.participants()] == [22, 25] * 5


def test_who_joins_does_without_the_lessons_at_which_they_are_busy(schedules: ScheduleFixture) -> None:
    other = schedules.lesson("2026-05-18", tutor_id=14, person=SeriesMember(25, schedules.school.other_booking_id))
    series = schedules.series()
    [conflict] = schedules.join(series.series_id, schedules.second)
    assert (conflict.reason, conflict.student_id, conflict.schedule_id) == ("student-busy", 25, other)
    assert schedules.skips() == [("05-18", 25, "student-busy", other)]
    assert schedules.days(series.series_id) == MONDAYS
    assert len(schedules.participants()) == 1 + 5 + 4


def test_the_first_free_student_names_the_lesson(schedules: ScheduleFixture) -> None:
    other = schedules.lesson("2026-05-18", tutor_id=14)
    series = schedules.series(people=[schedules.first, schedules.second], skip_conflicts=True)
    assert [row.student_id for row in schedules.rows(series.series_id)] == [22, 22, 25, 22, 22]
    assert schedules.skips() == [("05-18", 22, "student-busy", other)]


def test_only_days_of_the_booking_are_lessons(schedules: ScheduleFixture) -> None:
    schedules.book_status(schedules.booking_id, "active", start_date=date(2026, 5, 11), end_date=date(2026, 5, 24))
    assert schedules.series().lessons == 2
    assert schedules.days() == ["05-11", "05-18"]


class TestFollowingABooking:
    def test_pausing_stops_and_resuming_starts_the_same_lessons(self, schedules: ScheduleFixture) -> None:
        series = schedules.series()
        ids = [row.id for row in schedules.rows()]
        schedules.now = schedules.now.replace(day=12)
        schedules.book_status(schedules.booking_id, "paused")
        assert schedules.days() == ["05-04", "05-11"]
        assert {(row.cancelled_by, row.sequence) for row in schedules.rows()[2:]} == {("series", 1)}
        assert schedules.execute("SELECT status FROM schedule_series")[0].status == "paused"
        assert schedules.fill() == []
        schedules.book_status(schedules.booking_id, "active")
        assert schedules.days(series.series_id) == [*MONDAYS, "06-08"]
        assert [row.id for row in schedules.rows()][:5] == ids
        assert [row.sequence for row in schedules.rows()] == [0, 0, 2, 2, 2, 0]
        assert {status for _, _, status in schedules.participants()} == {"scheduled"}

    def test_days_of_the_pause_stay_free(self, schedules: ScheduleFixture) -> None:
        schedules.series()
        schedules.book_status(schedules.booking_id, "paused")
        schedules.now = schedules.now.replace(month=8, day=1)
        schedules.book_status(schedules.booking_id, "active")
        assert schedules.days() == ["08-03", "08-10", "08-17", "08-24"]
        assert schedules.days(status="cancelled") == MONDAYS

    def test_what_a_person_cancelled_stays_cancelled(self, schedules: ScheduleFixture) -> None:
        schedules.series()
        schedules.execute("UPDATE tutor_schedules SET status = 'cancelled', cancelled_by = 'person' WHERE id = 2")
        schedules.book_status(schedules.booking_id, "paused")
        schedules.book_status(schedules.booking_id, "active")
        assert schedules.days() == ["05-04", "05-18", "05-25", "06-01"]

    def test_what_was_edited_by_hand_comes_back_as_it_was(self, schedules: ScheduleFixture) -> None:
        schedules.series()
        schedules.execute(
            "UPDATE tutor_schedules SET is_override = true, start_time = '15:00', end_time = '16:00',"
            " starts_at = starts_at + interval '5 h', ends_at = ends_at + interval '5 h', notes = 'late' WHERE id = 2"
        )
        schedules.book_status(schedules.booking_id, "paused")
        assert schedules.days() == []
        schedules.book_status(schedules.booking_id, "active")
        moved = next(row for row in schedules.rows() if row.id == 2)
        assert (str(moved.start_time), moved.notes, moved.status, moved.is_override) == (
            "15:00:00",
            "late",
            "scheduled",
            True,
        )

    @pytest.mark.parametrize("status", ["completed", "cancelled"])
    def test_an_end_is_an_end(self, schedules: ScheduleFixture, status: str) -> None:
        schedules.series()
        schedules.book_status(schedules.booking_id, status)
        assert schedules.days() == []
        assert schedules.execute("SELECT status FROM schedule_series")[0].status == status

    def test_one_of_a_group_leaves_and_the_next_names_the_lessons(self, schedules: ScheduleFixture) -> None:
        series = schedules.series(people=[schedules.first, schedules.second])
        schedules.book_status(schedules.booking_id, "paused")
        assert schedules.days() == MONDAYS
        assert {(row.student_id, row.booking_id) for row in schedules.rows()} == {(25, schedules.second_booking_id)}
        assert [seat[1] for seat in schedules.participants()] == [25] * 5
        schedules.book_status(schedules.booking_id, "active")
        assert {row.student_id for row in schedules.rows(series.series_id)} == {22}
        assert len(schedules.participants()) == 10

    def test_time_taken_meanwhile_is_recorded_as_skips(self, schedules: ScheduleFixture) -> None:
        series = schedules.series()
        schedules.book_status(schedules.booking_id, "paused")
        other = schedules.lesson("2026-05-18", person=schedules.second)
        schedules.book_status(schedules.booking_id, "active")
        assert schedules.days(series.series_id) == ["05-04", "05-11", "05-25", "06-01"]
        assert schedules.skips() == [("05-18", None, "tutor-busy", other)]

    def test_a_new_end_date_cuts_off_and_gives_back(self, schedules: ScheduleFixture) -> None:
        schedules.series()
        schedules.book_status(schedules.booking_id, "active", end_date=date(2026, 5, 18))
        assert schedules.days() == MONDAYS[:3]
        schedules.book_status(schedules.booking_id, "active", end_date=None)
        assert schedules.days() == MONDAYS

    def test_single_lessons_follow_too(self, schedules: ScheduleFixture) -> None:
        schedules.lesson("2026-05-06")
        schedules.lesson("2026-05-08")
        schedules.book_status(schedules.booking_id, "paused")
        assert schedules.days() == []
        schedules.lesson("2026-05-08", person=schedules.second)
        schedules.book_status(schedules.booking_id, "active")
        assert [(row.id, row.status) for row in schedules.rows()] == [
            (1, "scheduled"),
            (2, "cancelled"),
            (3, "scheduled"),
        ]

    def test_a_series_that_its_tutor_cancelled_does_not_come_back(self, schedules: ScheduleFixture) -> None:
        schedules.series()
        schedules.execute("UPDATE schedule_series SET status = 'cancelled'")
        schedules.execute("UPDATE tutor_schedules SET status = 'cancelled', cancelled_by = 'person'")
        schedules.book_status(schedules.booking_id, "paused")
        schedules.book_status(schedules.booking_id, "active")
        assert schedules.days() == []
