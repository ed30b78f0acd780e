"""Which entries have an active alarm, and which must be planned next; a workflow plans their reminders."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.timetable import TimetableEntry

# The longest that a restored account, or an occurrence that comes within the planned days, waits for its reminders.
PLANNED_EVERY = timedelta(hours=1)

_RINGS = and_(TimetableEntry.alarm_enabled, TimetableEntry.status == "active")


def has_alarm(entry: TimetableEntry) -> bool:
    """Whether the entry reminds its person: its alarm is enabled, and it is neither a draft nor ended."""
    return entry.alarm_enabled and entry.status == "active"


def due_entries(session: Session, *, now: datetime, most: int) -> Sequence[TimetableEntry]:
    """Lock and return at most `most` entries to plan now, changed ones first; skips rows that others have locked."""
    due = or_(
        TimetableEntry.planned_at.is_(None),
        and_(_RINGS, TimetableEntry.planned_at <= now - PLANNED_EVERY),
    )
    statement = select(TimetableEntry).where(due).order_by(TimetableEntry.planned_at.nulls_first()).limit(most)
    return session.scalars(statement.with_for_update(key_share=True, skip_locked=True)).all()


def entries_of_person(session: Session, user_id: int) -> Sequence[TimetableEntry]:
    """Lock and return all entries of a person."""
    statement = select(TimetableEntry).where(TimetableEntry.user_id == user_id).order_by(TimetableEntry.id)
    return session.scalars(statement.with_for_update(key_share=True)).all()
