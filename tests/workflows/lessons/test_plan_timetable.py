"""Reminders of timetable entries: planned ahead by beat, sent by every channel, checked when they are sent."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from tests.conftest import School, Sql
from worker.database import Database
from worker.reminders.delivery.due import list_due
from worker.workflows.lessons.plan_timetable import plan_due_entries, plan_entries_of

# A Saturday; 9:00 in Addis Ababa is 6:00 UTC.
NOW = datetime(2026, 11, 28, 9, tzinfo=UTC)
SUNDAY = datetime(2026, 11, 29, 6, tzinfo=UTC)
AddEntry = Callable[..., int]


@pytest.fixture
def add(school: School, sql: Sql) -> AddEntry:
    """`add(days="{Sunday}")`: an entry of the student's that rings 15 minutes before; its id."""

    def insert(**columns: Any) -> int:
        values = {
            "user_id": school.student.user_id,
            "title": "Own study",
            "year": 2026,
            "days": "{Sunday}",
            "start_time": time(9),
            "end_time": time(10),
            "timezone": "Africa/Addis_Ababa",
            "alarm_enabled": True,
            "alarm_before_minutes": 15,
        } | columns
        names, places = ", ".join(values), ", ".join(f":{name}" for name in values)
        statement = f"INSERT INTO timetable_entries ({names}) VALUES ({places}) RETURNING id"  # noqa: S608 - columns of this file
        entry_id: int = sql(statement, **values)[0].id
        return entry_id

    return insert


def plan(database: Database, now: datetime = NOW) -> int:
    with database.transaction() as session:
        return plan_due_entries(session, now=now, most=100)


def waiting(sql: Sql) -> list[tuple[Any, ...]]:
    rows = sql("SELECT starts_at, channel FROM deliveries WHERE state = 'pending' ORDER BY due_at, channel")
    return [(row.starts_at, row.channel) for row in rows]


def usual(*starts: datetime) -> list[tuple[Any, ...]]:
    return [(start, channel) for start in starts for channel in ("email", "in_app")]


def test_two_days_ahead_and_the_rest_as_time_goes_on(add: AddEntry, database: Database, sql: Sql) -> None:
    add(days="{Sunday,Monday,Tuesday}")
    assert plan(database) == 1
    monday = SUNDAY + timedelta(days=1)
    assert waiting(sql) == usual(SUNDAY, monday)
    # Within the hour there is nothing to do; then the next day comes into reach.
    assert plan(database, NOW + timedelta(minutes=59)) == 0
    assert plan(database, NOW + timedelta(hours=20, minutes=50)) == 1
    assert waiting(sql) == usual(SUNDAY, monday, monday + timedelta(days=1))


def test_what_still_waits_after_its_time_is_left_alone(add: AddEntry, database: Database, sql: Sql) -> None:
    add()
    plan(database)
    plan(database, SUNDAY + timedelta(minutes=4))
    assert waiting(sql) == usual(SUNDAY)


@pytest.mark.parametrize(
    "columns", [{"alarm_enabled": False}, {"status": "draft"}, {"status": "completed"}, {"days": "{}"}]
)
def test_what_does_not_ring_is_not_planned(
    add: AddEntry, database: Database, sql: Sql, columns: dict[str, Any]
) -> None:
    add(**columns)
    plan(database)
    assert waiting(sql) == []
    assert plan(database, NOW + timedelta(minutes=1)) == 0


def test_who_is_not_active_is_not_reminded_until_they_come_back(add: AddEntry, database: Database, sql: Sql) -> None:
    add()
    sql("UPDATE users SET is_active = false WHERE id = 2")
    plan(database)
    assert waiting(sql) == []
    sql("UPDATE users SET is_active = true WHERE id = 2")
    plan(database, NOW + timedelta(hours=1))
    assert waiting(sql) == usual(SUNDAY)


def test_a_row_that_means_nothing_holds_up_no_other(add: AddEntry, database: Database, sql: Sql) -> None:
    add(days="{Someday}")
    add(timezone="Nowhere/Land")
    add()
    assert plan(database) == 3
    assert waiting(sql) == usual(SUNDAY)


def test_a_reminder_that_quiet_hours_would_outlast_comes_before_them(
    add: AddEntry, database: Database, sql: Sql
) -> None:
    add()
    sql(
        "INSERT INTO notification_preferences (user_id, channels, timezone, quiet_start, quiet_end)"
        " VALUES (2, '{email}', 'Africa/Addis_Ababa', '22:00', '09:30')"
    )
    plan(database)
    assert sql("SELECT due_at FROM deliveries") == [(datetime(2026, 11, 28, 18, 55, tzinfo=UTC),)]
    sql("UPDATE notification_preferences SET quiet_start = NULL, quiet_end = NULL")
    with database.transaction() as session:
        plan_entries_of(session, 2, now=NOW)
    assert sql("SELECT due_at FROM deliveries") == [(SUNDAY - timedelta(minutes=15),)]


def test_operators_see_what_asked_for_it(add: AddEntry, database: Database) -> None:
    add()
    plan(database)
    with database.transaction() as session:
        due = list_due(session, until=SUNDAY, most=10)
    assert [(delivery.why, delivery.subject) for delivery in due] == [
        ("15 min before: alarm of the timetable entry", None)
    ] * 2
