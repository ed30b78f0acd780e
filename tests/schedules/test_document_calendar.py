"""Rows of the calendar of 2025 that are imported again, or that are gone."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest

from models.schedules import Schedule
from worker.database import Database
from worker.schedules.document_calendar import CalendarRow, cancel_calendar_rows, store_calendar_rows

DAY = date(2026, 3, 9)
NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def columns(start: int) -> dict[str, Any]:
    starts_at = datetime.combine(DAY, time(start), UTC)
    local = {"schedule_date": DAY, "start_time": time(start), "end_time": time(start + 1), "timezone": "UTC"}
    instants = {"starts_at": starts_at, "ends_at": starts_at + timedelta(hours=1)}
    return {"tutor_id": 11, "student_id": 22, "status": "scheduled", **local, **instants}


@pytest.mark.usefixtures("school")
def test_calendars_see_every_change(database: Database) -> None:
    """RFC 5545 §3.8.7.4: a calendar may ignore an event whose SEQUENCE has not increased."""

    def stored() -> tuple[int, datetime]:
        with database.transaction() as session:
            lesson = session.get_one(Schedule, lesson_id)
            return lesson.sequence, lesson.updated_at

    with database.transaction() as session:
        [lesson_id] = store_calendar_rows(session, [CalendarRow(None, columns(9))], now=NOW)
    assert stored()[0] == 0
    with database.transaction() as session:
        store_calendar_rows(session, [CalendarRow(lesson_id, columns(11))], now=NOW)
    assert stored() == (1, NOW)
    later = NOW + timedelta(hours=1)
    for _ in range(2):
        with database.transaction() as session:
            cancel_calendar_rows(session, [lesson_id], now=later)
        assert stored() == (2, later)
