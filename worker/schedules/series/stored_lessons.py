"""Read the future rows of series that a plan may change."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.orm import Session

from models.schedules import Schedule, ScheduleParticipant
from worker.schedules.series.columns import SHARED
from worker.schedules.series.series_state import StoredLesson


def read_stored_lessons(session: Session, series_ids: Sequence[int], now: datetime) -> dict[int, list[StoredLesson]]:
    """Future rows that are scheduled or were cancelled with their series, except free slots that somebody booked."""
    lessons: dict[int, list[StoredLesson]] = defaultdict(list)
    may_change = and_(
        Schedule.series_id.in_(series_ids),
        Schedule.starts_at > now,
        Schedule.booked_at.is_(None),
        or_(Schedule.status == "scheduled", and_(Schedule.status == "cancelled", Schedule.cancelled_by == "series")),
    )
    seats: dict[int, dict[int, int | None]] = defaultdict(dict)
    participants = select(
        ScheduleParticipant.schedule_id, ScheduleParticipant.student_id, ScheduleParticipant.booking_id
    ).join(Schedule, Schedule.id == ScheduleParticipant.schedule_id)
    for schedule_id, student_id, booking_id in session.execute(participants.where(may_change)):
        seats[schedule_id][student_id] = booking_id
    for row in session.execute(select(*_STORED_COLUMNS).where(may_change)):
        lessons[row.series_id].append(_stored(row, seats[row.id]))
    return lessons


def _stored(row: Row[Any], participants: Mapping[int, int | None]) -> StoredLesson:
    return StoredLesson(
        id=row.id,
        day=row.occurrence_date,
        starts_at=row.starts_at,
        ends_at=row.ends_at,
        scheduled=row.status == "scheduled",
        is_override=row.is_override,
        # schedule_date and SHARED, in the order of _STORED_COLUMNS.
        content=tuple(row[_OF_LESSON:]),
        named=(row.student_id, row.student_name, row.booking_id),
        participants=participants,
    )


_OF_A_ROW: tuple[Any, ...] = (
    Schedule.series_id,
    Schedule.id,
    Schedule.occurrence_date,
    Schedule.starts_at,
    Schedule.ends_at,
    Schedule.status,
    Schedule.is_override,
    Schedule.student_id,
    Schedule.student_name,
    Schedule.booking_id,
)
_OF_LESSON = len(_OF_A_ROW)
_STORED_COLUMNS = (*_OF_A_ROW, Schedule.schedule_date, *(getattr(Schedule, name) for name in SHARED))
