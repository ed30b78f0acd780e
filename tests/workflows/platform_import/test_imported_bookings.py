"""Enrolments and groups: one booking for each pair of a tutor and a student."""

from collections import Counter
from datetime import UTC, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals, stored
from worker.database import Database
from worker.platform.zone import ServerZone
from worker.recurrence.request import TimeRequest
from worker.schedules.planning import Planning
from worker.schedules.requests import LessonRequest
from worker.workflows.lessons.change_lessons import make_lessons


def _bookings(sql: Sql) -> dict[tuple[int, int], Any]:
    rows = sql("SELECT *, created_at AT TIME ZONE 'UTC' AS utc FROM tutor_student_bookings ORDER BY id")
    assert len({(row.tutor_id, row.student_id) for row in rows}) == len(rows)
    return {(row.tutor_id, row.student_id): row for row in rows}


def test_one_booking_for_each_pair(run_import: Import, refusals: Refusals, sql: Sql, expected: Any) -> None:
    run_import()
    bookings = _bookings(sql)

    assert len(bookings) == expected["bookings"]
    assert Counter(row.status for row in bookings.values()) == expected["bookings_by_status"]
    booking_ids = {row.id for row in sql("SELECT id FROM platform_links WHERE kind = 'enrolment'")}
    pairs = sorted([list(pair) for pair, row in bookings.items() if row.id not in booking_ids])
    assert pairs == expected["bookings_of_groups_only"]
    assert refusals("enrolment") == refusals("group") == {}
    notes = sql("SELECT platform_id, details FROM platform_refusals WHERE code = 'students-left-out'")
    assert {str(row.platform_id): row.details["students"] for row in notes} == expected["groups_students_dropped"]


def test_what_a_booking_says(run_import: Import, sql: Sql) -> None:
    run_import()
    bookings = _bookings(sql)

    first = bookings[14, 11]
    assert (first.subject, first.package_name, first.session_type) == ("Mathematics", "Algebra evenings", "online")
    assert (first.status, first.price_per_session, first.session_duration) == ("active", Decimal("300.00"), None)
    assert first.utc.isoformat() == "2026-10-10T10:00:00.750000"
    week = bookings[14, 13]
    assert (week.subject, week.session_duration, week.price_per_session) == ("Mathematics, Physics", 90, None)
    assert bookings[16, 12].session_type is None  # Self-paced
    notes = sql(
        "SELECT platform_id, is_refused FROM platform_refusals WHERE kind = 'group' AND code = 'unknown-format'"
    )
    assert notes == [(64, False)]


def test_a_second_import_changes_nothing(run_import: Import, sql: Sql) -> None:
    run_import()
    before = stored(sql, *_TABLES)

    counts = run_import()

    assert all(kind.keys() <= {"read"} for kind in counts.values()), counts
    assert stored(sql, *_TABLES) == before


_TABLES = ("users", "student_profiles", "tutor_student_bookings", "platform_links", "platform_refusals")


def test_a_changed_status_and_a_second_enrolment(run_import: Import, platform: Platform, sql: Sql) -> None:
    """A status changes without a trace in any time; of two enrolments the one that goes on decides."""
    run_import()
    booking = _bookings(sql)[14, 11]
    platform.owner.execute("UPDATE enrolled_students SET status = 'suspended' WHERE id = 71")

    run_import()
    assert _bookings(sql)[14, 11].status == "paused"

    platform.owner.execute(
        "INSERT INTO enrolled_students (id, tutor_id, student_id, package_id, status, agreed_price)"
        " VALUES (76, 14, 11, 32, 'active', 120), (77, 14, 11, 31, 'rejected', 90)"
    )
    run_import()
    current = _bookings(sql)[14, 11]
    assert (current.id, current.status, current.package_name) == (booking.id, "active", "Exam week")

    platform.owner.execute("DELETE FROM enrolled_students WHERE id IN (71, 76)")
    run_import()
    assert (_bookings(sql)[14, 11].id, _bookings(sql)[14, 11].status) == (booking.id, "cancelled")

    platform.owner.execute("DELETE FROM enrolled_students WHERE id = 72")
    run_import()
    assert _bookings(sql)[14, 12].status == "cancelled"
    assert sql("SELECT count(*) FROM platform_links WHERE kind = 'enrolment' AND platform_id IN (71, 72, 76)") == [(0,)]


def test_series_made_here_follow_the_bookings(
    run_import: Import, platform: Platform, sql: Sql, database: Database
) -> None:
    """Nobody is notified: an import sends no message."""
    run_import()
    booking = _bookings(sql)[14, 11]
    now = datetime.now(UTC)
    times = TimeRequest(now.date() + timedelta(days=2), time(3), time(4), "UTC", "FREQ=DAILY;COUNT=3")
    with database.transaction() as session:
        make_lessons(session, LessonRequest(14, booking.id, times, {}), Planning(now, 28))

    def statuses() -> list[Any]:
        return sql("SELECT status, count(*) FROM tutor_schedules WHERE series_id IS NOT NULL GROUP BY status")

    for change, status in (
        ("UPDATE enrolled_students SET status = 'suspended' WHERE id = 71", "cancelled"),
        ("UPDATE enrolled_students SET status = 'active' WHERE id = 71", "scheduled"),
        ("DELETE FROM enrolled_students WHERE id = 71", "cancelled"),
    ):
        platform.owner.execute(change)
        run_import()
        assert statuses() == [(status, 3)], change
    assert sql("SELECT kind FROM deliveries WHERE kind LIKE 'lesson-c%'") == []


def test_slots_booked_and_lessons_made_here_follow_the_bookings(
    run_import: Import, platform: Platform, sql: Sql, database: Database
) -> None:
    """Imported lessons follow their own rows there."""
    run_import()
    booking = _bookings(sql)[14, 11]
    now = datetime.now(UTC)
    imported = sql("SELECT id, status FROM tutor_schedules ORDER BY id")
    (slot, lesson) = (
        sql(
            "INSERT INTO tutor_schedules (tutor_id, student_id, booking_id, booked_at, schedule_date, start_time,"
            " end_time, timezone, starts_at, ends_at) VALUES (14, 11, :booking, :booked_at, :day, '03:00', '04:00',"
            " 'UTC', :starts_at, :starts_at + interval '1 hour') RETURNING id",
            booking=booking.id,
            booked_at=booked_at,
            day=(now + timedelta(days=days)).date(),
            starts_at=datetime.combine((now + timedelta(days=days)).date(), time(3), UTC),
        )[0].id
        for days, booked_at in ((40, now), (41, None))
    )
    sql(
        "INSERT INTO schedule_participants (schedule_id, student_id, booking_id, starts_at, ends_at, status)"
        " SELECT id, student_id, booking_id, starts_at, ends_at, status FROM tutor_schedules WHERE id = ANY(:ids)",
        ids=[slot, lesson],
    )
    for change, status in (
        ("UPDATE enrolled_students SET status = 'suspended' WHERE id = 71", "cancelled"),
        ("UPDATE enrolled_students SET status = 'active' WHERE id = 71", "scheduled"),
        ("DELETE FROM enrolled_students WHERE id = 71", "cancelled"),
    ):
        platform.owner.execute(change)
        run_import()
        rows = dict(sql("SELECT id, status FROM tutor_schedules ORDER BY id"))
        assert (rows[slot], rows[lesson]) == (status, status), change
        assert [(row.id, rows[row.id]) for row in imported] == imported
    assert sql("SELECT kind FROM deliveries WHERE kind LIKE 'lesson-c%'") == []


def test_a_status_that_people_set_here_stays_until_it_changes_there(
    run_import: Import, platform: Platform, sql: Sql
) -> None:
    run_import()

    def end() -> None:
        sql("UPDATE tutor_student_bookings SET status = 'cancelled' WHERE tutor_id = 14 AND student_id = 11")

    def status() -> str:
        return str(_bookings(sql)[14, 11].status)

    end()
    # Of every enrolment in the package, and of every row: another name, and another name of the zone.
    platform.owner.execute("UPDATE tutor_packages SET name = 'Algebra by night' WHERE id = 31")
    run_import()
    assert (status(), _bookings(sql)[14, 11].package_name) == ("cancelled", "Algebra by night")
    run_import(ServerZone("Europe/Paris"))
    assert status() == "cancelled"

    platform.owner.execute("UPDATE enrolled_students SET status = 'suspended' WHERE id = 71")
    run_import()
    assert status() == "paused"

    end()
    platform.owner.execute(
        "INSERT INTO enrolled_students (id, tutor_id, student_id, package_id, status)"
        " VALUES (78, 14, 11, 32, 'suspended')"
    )
    run_import()
    assert status() == "paused"


def test_what_was_ended_here_before_statuses_were_recorded_stays(run_import: Import, sql: Sql) -> None:
    """An older release has imported the rows, and neither recorded their statuses nor made version 2 of them."""
    run_import()
    sql("DELETE FROM platform_links WHERE kind = 'booking_status'")
    sql("UPDATE platform_links SET digest = '' WHERE kind = 'enrolment'")
    sql("UPDATE platform_pulls SET signature = 'old' WHERE kind = 'enrolment'")
    sql("UPDATE tutor_student_bookings SET status = 'cancelled' WHERE tutor_id = 14 AND student_id = 11")
    sql("UPDATE tutor_student_bookings SET status = 'paused' WHERE tutor_id = 14 AND student_id = 12")

    assert run_import()["enrolment"]["stored"] == 5

    assert (_bookings(sql)[14, 11].status, _bookings(sql)[14, 12].status) == ("cancelled", "active")


def test_an_unknown_word_is_taken_and_reported(run_import: Import, platform: Platform, sql: Sql) -> None:
    platform.owner.execute("UPDATE enrolled_students SET status = 'frozen' WHERE id = 71")

    run_import()

    assert _bookings(sql)[14, 11].status == "paused"
    [(reason,)] = sql("SELECT reason FROM platform_refusals WHERE kind = 'enrolment' AND code = 'unknown-status'")
    assert "'frozen'" in reason


def _statuses(sql: Sql) -> dict[tuple[int, int], str]:
    return {pair: row.status for pair, row in _bookings(sql).items()}


def test_a_booking_that_only_groups_gave_ends_with_the_last_of_them(
    run_import: Import, platform: Platform, sql: Sql
) -> None:
    """Group 64 has students 12 and 13, group 66 student 12 alone."""
    run_import()
    before = _statuses(sql)

    def delete_group(group: int) -> dict[tuple[int, int], str]:
        platform.owner.execute("DELETE FROM sessions WHERE enrolled_courses_id = %s", (group,))
        platform.owner.execute("DELETE FROM enrolled_courses WHERE id = %s", (group,))
        assert run_import()["group"]["removed"] == 1
        return {pair: status for pair, status in _statuses(sql).items() if status != before[pair]}

    assert delete_group(64) == {(16, 13): "cancelled"}
    assert delete_group(66) == {(16, 13): "cancelled", (16, 12): "cancelled"}
    # Its pairs have enrolments.
    assert delete_group(61) == {(16, 13): "cancelled", (16, 12): "cancelled"}
    assert all(kind.keys() <= {"read"} for kind in run_import().values())
