"""Timetable entries in the subscribed calendar, read by a calendar library."""

from datetime import UTC, datetime, timedelta
from typing import Any

import icalendar
import pytest
from dateutil.rrule import rrulestr

from tests.conftest import School, Sql
from worker.calendars.ics import render
from worker.database import Database
from worker.schedules.feeds.addresses import find_owner, open_feed
from worker.schedules.feeds.lessons import read_feed

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


@pytest.fixture
def add(school: School, sql: Sql) -> Any:
    """`add(days="{Monday}")`: an entry of the parent's; its id."""

    def insert(user_id: int = school.parent.user_id, **columns: str) -> int:
        values = {
            "title": "Pick up",
            "year": 2026,
            "start_time": "09:00",
            "end_time": "10:30",
            "timezone": "Africa/Addis_Ababa",
        } | columns
        names = ", ".join(values)
        places = ", ".join(f":{name}" for name in values)
        statement = f"INSERT INTO timetable_entries (user_id, {names}) VALUES (:user_id, {places}) RETURNING id"  # noqa: S608 - columns of this file
        entry_id: int = sql(statement, user_id=user_id, **values)[0].id
        return entry_id

    return insert


def events(database: Database, user_id: int) -> list[Any]:
    with database.transaction() as session:
        secret = open_feed(session, user_id)
    with database.transaction() as session:
        feed = read_feed(session, find_owner(session, secret), now=NOW, timezone="Africa/Addis_Ababa")
    calendar = icalendar.Calendar.from_ical(render(feed.name, feed.events, home=feed.timezone))
    assert not calendar.errors
    return list(calendar.walk("VEVENT"))


def test_a_weekly_entry_is_one_event_that_repeats(database: Database, school: School, add: Any) -> None:
    entry = add(months="{October,November,December}", days="{Monday,Wednesday}", notes="Both children")
    (event,) = events(database, school.parent.user_id)
    assert event["UID"] == f"entry-{entry}@astegni"
    assert (event["SUMMARY"], event["DESCRIPTION"]) == ("Pick up", "Both children")
    first = event.decoded("DTSTART")
    assert first == datetime(2026, 10, 5, 6, tzinfo=UTC)
    assert event.decoded("DURATION") == timedelta(minutes=90)
    rule = rrulestr(event["RRULE"].to_ical().decode(), dtstart=first.replace(tzinfo=None))
    assert rule.after(datetime(2027, 1, 1)) == datetime(2027, 10, 4, 9)  # noqa: DTZ001 - local


def test_an_old_one_begins_with_this_year(database: Database, school: School, add: Any) -> None:
    add(days="{Monday}", year="2001", timezone="America/New_York")
    (event,) = events(database, school.parent.user_id)
    assert event.decoded("DTSTART") == datetime(2026, 1, 5, 14, tzinfo=UTC)


def test_single_dates_are_events_of_their_own(database: Database, school: School, add: Any) -> None:
    entry = add(schedule_type="specific", specific_dates="{2026-10-01,2026-12-30,2027-01-01,2099-01-01}")
    shown = {event["UID"]: event.decoded("DTSTART") for event in events(database, school.parent.user_id)}
    assert shown == {
        f"entry-{entry}-20261230@astegni": datetime(2026, 12, 30, 6, tzinfo=UTC),
        f"entry-{entry}-20270101@astegni": datetime(2027, 1, 1, 6, tzinfo=UTC),
    }


def test_only_active_entries_of_the_owner(database: Database, school: School, add: Any) -> None:
    for status in ("draft", "completed", "cancelled"):
        add(days="{Monday}", status=status)
    add(school.tutor.user_id, days="{Monday}")
    add()
    assert events(database, school.parent.user_id) == []
