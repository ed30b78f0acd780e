"""A reminder that quiet hours would make useless is sent before they begin."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from worker.calendars.zones import zone
from worker.database import Database
from worker.reminders.planning.plan import plan_for_person, plan_reminders
from worker.reminders.planning.quiet_hours import quiet_since

STUDENT = 2
# Addis Ababa is UTC+3: the lesson begins at 7:00, and quiet hours are 22:00 to 7:30.
LESSON = datetime(2026, 5, 4, 4, tzinfo=UTC)
NIGHT = (time(22), time(7, 30))
BEFORE = datetime(2026, 5, 3, 18, 55, tzinfo=UTC)
NOW = datetime(2026, 5, 1, 9, tzinfo=UTC)
Sql = Callable[..., list[Any]]


def lesson(sql: Sql, starts_at: datetime = LESSON) -> int:
    values = {"begin": starts_at, "end": starts_at + timedelta(hours=1)}
    lesson_id: int = sql(
        "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, starts_at, ends_at)"
        " VALUES (11, 22, CAST(:begin AS timestamptz)::date, '07:00', '08:00', :begin, :end) RETURNING id",
        **values,
    )[0].id
    sql(
        "INSERT INTO schedule_participants (schedule_id, student_id, starts_at, ends_at, status)"
        " VALUES (:id, 22, :begin, :end, 'scheduled')",
        id=lesson_id,
        **values,
    )
    return lesson_id


def prefer(
    sql: Sql,
    night: tuple[time | None, time | None] = NIGHT,
    alarms: Sequence[int] = (15,),
    channels: Sequence[str] = ("email",),
) -> None:
    sql(
        "INSERT INTO notification_preferences (user_id, alarms, channels, timezone, quiet_start, quiet_end)"
        " VALUES (2, :alarms, :channels, 'Africa/Addis_Ababa', :start, :end) ON CONFLICT (user_id) DO UPDATE SET"
        " alarms = :alarms, channels = :channels, quiet_start = :start, quiet_end = :end",
        alarms=list(alarms),
        channels=list(channels),
        start=night[0],
        end=night[1],
    )


def due(sql: Sql) -> dict[tuple[str, int], datetime]:
    """When the student's reminders are due, by channel and minutes before."""
    rows = sql(
        "SELECT channel, minutes_before, due_at FROM deliveries WHERE user_id = 2 AND state = 'pending'"
        " AND kind = 'lesson-reminder'"
    )
    return {(row.channel, row.minutes_before): row.due_at for row in rows}


def own(minutes: int) -> datetime:
    return LESSON - timedelta(minutes=minutes)


@pytest.mark.usefixtures("school")
@pytest.mark.parametrize(
    ("night", "now", "due_at"),
    [
        (NIGHT, NOW, BEFORE),
        # The quiet hours end in time: it waits for that.
        ((time(22), time(6, 50)), NOW, own(15)),
        # Outside of them, and none at all.
        ((time(22), time(6)), NOW, own(15)),
        ((None, None), NOW, own(15)),
        # They are within one day.
        ((time(1), time(8)), NOW, datetime(2026, 5, 3, 21, 55, tzinfo=UTC)),
        # Their last minutes before have begun: at once.
        (NIGHT, BEFORE + timedelta(minutes=2), BEFORE + timedelta(minutes=2)),
        # Quiet hours have begun: it is sent in the app only.
        (NIGHT, BEFORE + timedelta(minutes=6), own(15)),
    ],
)
def test_a_reminder_that_would_come_too_late_is_sent_before(
    database: Database, sql: Sql, night: tuple[time | None, time | None], now: datetime, due_at: datetime
) -> None:
    prefer(sql, night)
    lesson_id = lesson(sql)
    for _again in range(2):
        with database.transaction() as session:
            plan_reminders(session, [lesson_id], now=now)
        assert due(sql) == {("email", 15): due_at}


@pytest.mark.usefixtures("school")
def test_an_account_whose_zone_is_unknown_has_that_of_the_lesson(database: Database, sql: Sql) -> None:
    prefer(sql)
    lesson_id = lesson(sql)
    sql("UPDATE notification_preferences SET timezone = NULL")
    sql("UPDATE users SET timezone = 'EAT' WHERE id = 2")
    sql("UPDATE tutor_schedules SET timezone = 'Africa/Addis_Ababa'")
    with database.transaction() as session:
        plan_reminders(session, [lesson_id], now=NOW)
    assert due(sql) == {("email", 15): BEFORE}


@pytest.mark.usefixtures("school")
def test_one_night_brings_one_reminder_and_the_app_is_never_quiet(database: Database, sql: Sql) -> None:
    prefer(sql, alarms=(24 * 60, 60, 15), channels=("email", "in_app"))
    with database.transaction() as session:
        plan_reminders(session, [lesson(sql)], now=NOW)
    assert due(sql) == {
        ("email", 24 * 60): own(24 * 60),
        ("email", 60): BEFORE,
        ("email", 15): own(15),
        **{("in_app", minutes): own(minutes) for minutes in (24 * 60, 60, 15)},
    }


@pytest.mark.usefixtures("school")
def test_what_waits_follows_other_quiet_hours(database: Database, sql: Sql) -> None:
    prefer(sql)
    with database.transaction() as session:
        plan_reminders(session, [lesson(sql)], now=NOW)
    for night, due_at in (((time(21), time(8)), BEFORE - timedelta(hours=1)), ((None, None), own(15)), (NIGHT, BEFORE)):
        prefer(sql, night)
        with database.transaction() as session:
            plan_for_person(session, STUDENT, now=NOW)
        assert due(sql) == {("email", 15): due_at}


@pytest.mark.parametrize(
    ("start", "end", "place", "now", "since"),
    [
        ("22:00", "07:30", "Africa/Addis_Ababa", "2026-05-04T03:45", "2026-05-03T19:00"),
        ("22:00", "07:30", "Africa/Addis_Ababa", "2026-05-03T20:00", "2026-05-03T19:00"),
        ("01:00", "07:30", "Africa/Addis_Ababa", "2026-05-04T03:45", "2026-05-03T22:00"),
        ("22:00", "07:30", "Africa/Addis_Ababa", "2026-05-04T05:00", None),
        # The clocks of Berlin went from 2:00 to 3:00, and from 3:00 to 2:00.
        ("02:30", "07:30", "Europe/Berlin", "2026-03-29T04:00", "2026-03-29T01:30"),
        ("02:30", "07:30", "Europe/Berlin", "2026-10-25T04:00", "2026-10-25T00:30"),
    ],
)
def test_when_quiet_hours_began(start: str, end: str, place: str, now: str, since: str | None) -> None:
    at = datetime.fromisoformat(now).replace(tzinfo=UTC)
    began = quiet_since(time.fromisoformat(start), time.fromisoformat(end), zone(place), at)
    assert began == (since and datetime.fromisoformat(since).replace(tzinfo=UTC))
