"""Lessons of the sample, each an edge case, as `payloads.json` expects them; and later changes."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.conftest import Platform, Sql
from tests.workflows.platform_import.conftest import Import, Refusals, stored
from worker import clock
from worker.database import Database
from worker.reminders.planning.plan import plan_ahead
from worker.schedules.advance import complete_lessons

_TABLES = ("tutor_schedules", "schedule_participants", "lesson_alarms", "deliveries", "platform_refusals")


def _lessons(sql: Sql) -> dict[int, Any]:
    """Lessons by platform id, with their students."""
    rows = sql(
        """
        SELECT lesson.*, link.platform_id, ARRAY(SELECT student_id FROM schedule_participants seat
                WHERE seat.schedule_id = lesson.id ORDER BY student_id) AS students
          FROM tutor_schedules lesson JOIN platform_links link ON link.kind = 'lesson' AND link.id = lesson.id
         ORDER BY link.platform_id
        """
    )
    return {row.platform_id: row for row in rows}


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def test_lessons_as_expected(run_import: Import, refusals: Refusals, sql: Sql, expected: Any) -> None:
    counts = run_import()
    lessons = _lessons(sql)

    assert len(lessons) == expected["lessons"] == counts["lesson"]["stored"]
    assert {str(row): reason for row, reason in refusals("lesson").items()} == expected["lessons_refused"]
    assert Counter(row.status for row in lessons.values()) == expected["lessons_by_status"]
    absences = [row_id for row_id, row in lessons.items() if row.attendance == "missed"]
    assert absences == expected["lessons_attendance_missed"]
    assert {str(row_id): row.session_format for row_id, row in lessons.items()} == expected["lesson_formats"]
    for row_id, times in expected["lesson_times"].items():
        assert [_utc(lessons[int(row_id)].starts_at), _utc(lessons[int(row_id)].ends_at)] == times
    for row_id, students in expected["lesson_participants"].items():
        assert lessons[int(row_id)].students == students
    now = datetime(2026, 11, 27, tzinfo=UTC)
    over = {row_id: row.status for row_id, row in lessons.items() if row.ends_at <= now}
    for status, name in (("scheduled", "lessons_over_but_scheduled"), ("in_progress", "lessons_over_but_in_progress")):
        assert [row_id for row_id, state in over.items() if state == status] == expected[name]
    assert [row_id for row_id, row in lessons.items() if row.starts_at > now] == expected["lessons_to_come"]


def test_what_a_lesson_says(run_import: Import, sql: Sql) -> None:
    run_import()
    lessons = _lessons(sql)

    first = lessons[81]
    assert (first.tutor_id, first.subject, first.student_name) == (14, "Mathematics", "Robel Hailu")
    assert (first.notes, first.timezone) == ("Please start with fractions", "Africa/Addis_Ababa")
    assert _utc(first.created_at) == "2026-10-10T10:00:00.750000Z"
    pair = sql("SELECT tutor_id, student_id FROM tutor_student_bookings WHERE id = :id", id=first.booking_id)
    assert pair == [(14, 11)]
    assert lessons[94].notes == "Waves\nSound"
    assert lessons[84].location == "At home"
    assert not sql("SELECT FROM schedule_participants WHERE booking_id IS NULL")


def test_one_person_in_two_roles_is_reported(run_import: Import, sql: Sql, expected: Any) -> None:
    run_import()
    notes = sql("SELECT platform_id, is_refused, details FROM platform_refusals WHERE code = 'two-roles' ORDER BY 1")

    expectation = expected["one_person_in_two_lessons_at_once_by_two_roles"]
    assert [[row.details["lesson"], row.platform_id] for row in notes] == expectation["pairs_of_lessons"]
    assert Counter(str(user) for row in notes for user in row.details["users"]) == expectation["persons"]
    assert not any(row.is_refused for row in notes)


def test_only_alarms_that_were_switched_on(
    run_import: Import, database: Database, platform: Platform, sql: Sql, expected: Any
) -> None:
    """Neither the import nor the hourly planning plans anything for people who have set nothing."""
    platform.owner.execute("UPDATE sessions SET alarm_enabled = false WHERE id = 96")
    run_import()
    with database.transaction() as session:
        plan_ahead(session, now=clock.now(), after=0, most=1000)
    assert sql("SELECT count(*) FROM deliveries") == [(0,)]

    platform.owner.execute("UPDATE sessions SET alarm_enabled = true, updated_at = '2026-11-20' WHERE id = 96")
    run_import(compare=False)
    with database.transaction() as session:
        plan_ahead(session, now=clock.now(), after=0, most=1000)
    alarms = sql(
        "SELECT link.platform_id, min(minutes_before) AS minutes,"
        "       array_agg(alarm.user_id ORDER BY alarm.user_id) AS users"
        "  FROM lesson_alarms alarm JOIN platform_links link ON link.kind = 'lesson' AND link.id = alarm.schedule_id"
        " GROUP BY 1 ORDER BY 1"
    )
    assert {str(row.platform_id): row.minutes for row in alarms} == expected["lessons_with_alarm"]
    assert alarms[1].users == [11, 12, 14]
    deliveries = sql("SELECT DISTINCT minutes_before, state, starts_at FROM deliveries")
    assert [(row.minutes_before, row.state, _utc(row.starts_at)) for row in deliveries] == [
        (30, "pending", "2029-01-11T14:00:00Z")
    ]

    platform.owner.execute("UPDATE sessions SET alarm_enabled = false, updated_at = '2026-11-21' WHERE id = 96")
    run_import(compare=False)
    assert sql("SELECT DISTINCT state FROM deliveries") == [("cancelled",)]


def test_an_alarm_that_somebody_set_here_stays(run_import: Import, platform: Platform, sql: Sql) -> None:
    """The platform's minutes are the same, its switch is off, and the row changes otherwise."""
    run_import()
    lesson_id = _lessons(sql)[97].id
    sql("INSERT INTO lesson_alarms (user_id, schedule_id, minutes_before) VALUES (12, :id, 15)", id=lesson_id)
    platform.owner.execute("UPDATE sessions SET location = 'Library', updated_at = '2026-11-20' WHERE id = 97")

    run_import(compare=False)

    assert sql("SELECT user_id FROM lesson_alarms WHERE schedule_id = :id", id=lesson_id) == [(12,)]
    assert _lessons(sql)[97].location == "Library"


def test_running_it_again_changes_nothing(run_import: Import, database: Database, sql: Sql) -> None:
    """Also after our own job has completed what was over: what was refused beside it stays refused."""
    run_import()
    with database.transaction() as session:
        complete_lessons(session, now=clock.now(), most=100)
    before = stored(sql, *_TABLES)

    counts = run_import()

    assert counts["lesson"].keys() == {"read"}
    assert stored(sql, *_TABLES) == before


def test_a_change_there_does_not_undo_what_was_done_here(
    run_import: Import, database: Database, platform: Platform, sql: Sql
) -> None:
    run_import()
    with database.transaction() as session:
        complete_lessons(session, now=clock.now(), most=100)
    sql(
        "UPDATE tutor_schedules SET status = 'cancelled', cancelled_by = 'person' WHERE id = :id",
        id=_lessons(sql)[98].id,
    )
    platform.owner.execute("UPDATE sessions SET location = 'Here', updated_at = '2026-11-20' WHERE id IN (81, 98)")

    run_import(compare=False)

    lessons = _lessons(sql)
    assert (lessons[81].status, lessons[81].location) == ("completed", "Here")
    assert (lessons[98].status, lessons[98].cancelled_by) == ("cancelled", "person")


def test_moved_cancelled_restored_and_deleted(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    ours = {row_id: row.id for row_id, row in _lessons(sql).items()}
    platform.owner.execute("UPDATE sessions SET session_date = '2029-01-12', updated_at = '2026-11-20' WHERE id = 96")
    platform.owner.execute("UPDATE sessions SET status = 'cancelled', updated_at = '2026-11-20' WHERE id = 97")
    platform.owner.execute("DELETE FROM sessions WHERE id = 98")

    run_import()

    lessons = _lessons(sql)
    assert _utc(lessons[96].starts_at) == "2029-01-12T14:00:00Z"
    assert sql(
        "SELECT DISTINCT starts_at = :at FROM schedule_participants WHERE schedule_id = :id",
        id=ours[96],
        at=lessons[96].starts_at,
    ) == [(True,)]
    assert lessons[97].status == "cancelled"
    assert 98 not in lessons
    assert sql("SELECT status FROM tutor_schedules WHERE id = :id", id=ours[98]) == [("cancelled",)]
    assert sql("SELECT DISTINCT kind FROM deliveries") == [("lesson-reminder",)]  # nobody is notified of it

    platform.owner.execute("UPDATE sessions SET status = 'scheduled', updated_at = '2026-11-21' WHERE id = 97")
    run_import(compare=False)
    assert (_lessons(sql)[97].status, _lessons(sql)[97].id) == ("scheduled", ours[97])


def test_two_lessons_change_places(run_import: Import, platform: Platform, sql: Sql) -> None:
    platform.owner.execute(
        "INSERT INTO sessions (id, enrolled_courses_id, session_date, start_time, end_time) VALUES"
        " (110, 62, '2029-02-01', '10:00', '11:00'), (111, 62, '2029-02-01', '11:00', '12:00')"
    )
    run_import()
    platform.owner.execute(
        "UPDATE sessions SET start_time = CASE id WHEN 110 THEN time '11:00' ELSE '10:00' END,"
        " end_time = CASE id WHEN 110 THEN time '12:00' ELSE '11:00' END, updated_at = now() WHERE id IN (110, 111)"
    )

    run_import(compare=False)

    lessons = _lessons(sql)
    assert (str(lessons[110].start_time), str(lessons[111].start_time)) == ("11:00:00", "10:00:00")


def test_who_joins_the_group_joins_its_lessons(run_import: Import, platform: Platform, sql: Sql) -> None:
    """Groups have no time of their last change: a comparison finds it."""
    run_import()
    platform.owner.execute("UPDATE enrolled_courses SET students_id = '{12,14}' WHERE id = 61")

    run_import()

    assert _lessons(sql)[96].students == [12, 14]
    assert sql("SELECT status FROM tutor_student_bookings WHERE tutor_id = 14 AND student_id = 14") == [("active",)]


def test_lessons_of_a_group_that_is_empty_for_a_while(run_import: Import, platform: Platform, sql: Sql) -> None:
    run_import()
    ours = _lessons(sql)[96].id
    for students, status, reminders in (("{}", "cancelled", "cancelled"), ("{11,12}", "scheduled", "pending")):
        platform.owner.execute("UPDATE enrolled_courses SET students_id = %s WHERE id = 61", [students])

        run_import()

        assert (_lessons(sql)[96].id, _lessons(sql)[96].status) == (ours, status)
        assert sql("SELECT DISTINCT state FROM deliveries WHERE schedule_id = :id", id=ours) == [(reminders,)]


def test_a_lesson_made_here_is_in_the_way(run_import: Import, refusals: Refusals, platform: Platform, sql: Sql) -> None:
    run_import()
    sql(
        "INSERT INTO tutor_schedules (id, tutor_id, student_id, schedule_date, start_time, end_time,"
        " starts_at, ends_at)"
        " VALUES (5000, 16, 14, '2029-03-01', '10:00', '11:00', '2029-03-01 07:00Z', '2029-03-01 08:00Z')"
    )
    platform.owner.execute(
        "INSERT INTO sessions (id, enrolled_courses_id, session_date, start_time, end_time)"
        " VALUES (112, 63, '2029-03-01', '10:30', '11:30')"
    )
    run_import()
    assert refusals("lesson")[112] == "tutor busy (5000 made here)"

    sql("UPDATE tutor_schedules SET status = 'cancelled' WHERE id = 5000")
    run_import()
    assert 112 not in refusals("lesson")
    assert _lessons(sql)[112].students == [21]


@pytest.mark.parametrize("word", ["postponed", ""])
def test_an_unknown_word_is_reported(run_import: Import, platform: Platform, sql: Sql, word: str) -> None:
    platform.owner.execute("UPDATE sessions SET status = %s WHERE id = 98", [word])

    run_import()

    assert _lessons(sql)[98].status == "scheduled"
    assert sql("SELECT platform_id FROM platform_refusals WHERE code = 'unknown-status'") == [(98,)]


def test_lessons_in_a_night_when_clocks_change(run_import: Import, platform: Platform, sql: Sql) -> None:
    """Their times are Addis Ababa's, which has no daylight saving; the server's zone has."""
    platform.owner.execute(
        "INSERT INTO sessions (id, enrolled_courses_id, session_date, start_time, end_time, created_at) VALUES"
        " (113, 62, '2029-03-25', '03:30', '04:30', '2026-10-25 02:30'),"
        " (114, 62, '2029-10-28', '03:30', '04:30', '2026-03-29 02:30')"
    )

    run_import()

    lessons = _lessons(sql)
    assert [_utc(lessons[row_id].starts_at) for row_id in (113, 114)] == [
        "2029-03-25T00:30:00Z",
        "2029-10-28T00:30:00Z",
    ]
    assert [_utc(lessons[row_id].created_at) for row_id in (113, 114)] == [
        "2026-10-25T00:30:00Z",  # came twice: the first of the two
        "2026-03-29T01:30:00Z",  # in the gap: moves forward by it
    ]


def test_a_constraint_of_the_database_is_reported_in_words(run_import: Import, sql: Sql) -> None:
    sql("ALTER TABLE tutor_schedules ADD CONSTRAINT ck_no_hybrid CHECK (session_format <> 'hybrid') NOT VALID")

    run_import()

    rows = sql("SELECT reason, details FROM platform_refusals WHERE kind = 'lesson' AND code = 'refused-by-database'")
    assert rows
    assert {row.reason for row in rows} == {"one of its values is not allowed here"}
    assert all(row.details == {"constraint": "ck_no_hybrid"} for row in rows)
