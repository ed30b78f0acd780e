"""Which entries ring, and which are to be planned next. Their reminders are planned by a workflow."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from models.timetable import TimetableEntry

# An account that comes back, and occurrences that come into reach, wait at most so long.
PLANNED_EVERY = timedelta(hours=1)

_RINGS = and_(TimetableEntry.alarm_enabled, TimetableEntry.status == "active")


def rings(entry: TimetableEntry) -> bool:
    """Whether it reminds its person: the alarm alone decides, and drafts and ended entries never do."""
    return entry.alarm_enabled and entry.status == "active"


def due_entries(session: Session, *, now: datetime, most: int) -> Sequence[TimetableEntry]:
    """At most `most` entries to be planned now, locked: changed ones first. Those locked by others are left out."""
    due = or_(
        TimetableEntry.planned_at.is_(None),
        and_(_RINGS, TimetableEntry.planned_at <= now - PLANNED_EVERY),
    )
    statement = select(TimetableEntry).where(due).order_by(TimetableEntry.planned_at.nulls_first()).limit(most)
    return session.scalars(statement.with_for_update(key_share=True, skip_locked=True)).all()


def entries_of_person(session: Session, user_id: int) -> Sequence[TimetableEntry]:
    """All entries of a person, locked."""
    statement = select(TimetableEntry).where(TimetableEntry.user_id == user_id).order_by(TimetableEntry.id)
    return session.scalars(statement.with_for_update(key_share=True)).all()
