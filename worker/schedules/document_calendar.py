"""Rows of the calendar of 2025, stored as the table has them: lessons, free slots, rows of people without an account.

The columns of a lesson that other imports leave out (grade, link, recurrence in words) are kept here.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.schedules import Schedule, ScheduleParticipant
from worker.calendars.zones import tzdata_version
from worker.schedules.platform_lessons import LIVE
from worker.schedules.standalone_lessons import touch


class CalendarRow(NamedTuple):
    """The columns of one of our rows; `id` is None for a new one."""

    id: int | None
    columns: Mapping[str, Any]


def store_calendar_rows(session: Session, rows: Sequence[CalendarRow], *, now: datetime) -> list[int]:
    """Insert the new rows and update the others; returns their ids in order. A free slot booked here stays booked.

    Raises IntegrityError when one collides with another lesson.
    """
    stored = []
    for row in rows:
        lesson = None if row.id is None else session.get(Schedule, row.id, with_for_update=True)
        if lesson is not None and lesson.booked_at is not None:
            stored.append(lesson)
            continue
        if lesson is not None:
            session.execute(delete(ScheduleParticipant).where(ScheduleParticipant.schedule_id == lesson.id))
            touch(lesson, now)
        lesson = lesson or Schedule()
        for name, value in row.columns.items():
            setattr(lesson, name, value)
        lesson.tzdata_version = tzdata_version()
        session.add(lesson)
        session.flush()
        _seat(session, lesson)
        stored.append(lesson)
    session.flush()
    return [lesson.id for lesson in stored]


def cancel_calendar_rows(session: Session, ids: Collection[int], *, now: datetime) -> None:
    """Cancel those of these rows that have not ended. Idempotent."""
    statement = select(Schedule).where(Schedule.id.in_(ids), Schedule.status.in_(LIVE))
    for lesson in session.scalars(statement.order_by(Schedule.id).with_for_update()):
        lesson.status = "cancelled"
        touch(lesson, now)
    session.flush()


def _seat(session: Session, lesson: Schedule) -> None:
    if lesson.student_id is None:
        return
    times = {"starts_at": lesson.starts_at, "ends_at": lesson.ends_at, "status": lesson.status}
    seat = ScheduleParticipant(
        schedule_id=lesson.id, student_id=lesson.student_id, booking_id=lesson.booking_id, **times
    )
    session.add(seat)
