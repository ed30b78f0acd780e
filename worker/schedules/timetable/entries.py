"""The entries of a person's timetable: stored, changed, listed and deleted. Only the person sees them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from models.people import User
from models.timetable import TimetableEntry
from worker.calendars.zones import known_zone
from worker.errors import Conflict, NotFound
from worker.recurrence.platform_form import PlatformForm
from worker.schedules.timetable.form import entry_days, require_days

# Entries per person. Each may remind them daily by several channels.
MAX_ENTRIES = 200
# Minutes before the start, for an alarm that is switched on without a number.
USUAL_ALARM = 15

_FORM = ("schedule_type", "months", "days", "specific_dates")


def create_entry(
    session: Session, user_id: int, role: str | None, values: Mapping[str, Any], *, default_zone: str, now: datetime
) -> TimetableEntry:
    """Store an entry of a person, whose row the caller has locked; `values` are the fields of the form.

    A recurring entry without `year` begins with this year. Raises InvalidInput for the days, Conflict for too many
    entries.
    """
    theirs = select(func.count()).where(TimetableEntry.user_id == user_id)
    if (session.scalar(theirs) or 0) >= MAX_ENTRIES:
        raise Conflict(f"You have {MAX_ENTRIES} timetable entries, which are the most; delete one first.")
    zone = _zone_of(session, user_id, default_zone)
    entry = TimetableEntry(user_id=user_id, role=role, timezone=zone, year=now.year)
    _assign(entry, values, form=values)
    session.add(entry)
    session.flush()
    session.refresh(entry)
    return entry


def edit_entry(session: Session, entry: TimetableEntry, values: Mapping[str, Any], *, now: datetime) -> None:
    """Change the fields in `values`; those that say when are combined with the stored ones.

    Raises InvalidInput for a form without any day.
    """
    stored = {name: getattr(entry, name) for name in _FORM}
    touches_days = any(name in values for name in _FORM)
    _assign(entry, values, form={**stored, **values} if touches_days else None)
    if session.is_modified(entry):
        entry.sequence += 1
        entry.updated_at = now
    session.flush()


def list_entries(
    session: Session, user_id: int, *, role: str | None, status: str | None, before: int | None, limit: int
) -> Sequence[TimetableEntry]:
    """A person's entries, newest first; only those of a role or status, or with an id below `before`, if given."""
    statement = select(TimetableEntry).where(TimetableEntry.user_id == user_id)
    for column, value in ((TimetableEntry.role, role), (TimetableEntry.status, status)):
        if value is not None:
            statement = statement.where(column == value)
    if before is not None:
        statement = statement.where(TimetableEntry.id < before)
    return session.scalars(statement.order_by(TimetableEntry.id.desc()).limit(limit)).all()


def active_entries(session: Session, user_id: int) -> Sequence[TimetableEntry]:
    """All active entries of a person, oldest first."""
    theirs = (TimetableEntry.user_id == user_id, TimetableEntry.status == "active")
    return session.scalars(select(TimetableEntry).where(*theirs).order_by(TimetableEntry.id)).all()


def find_entry(session: Session, user_id: int, entry_id: int, *, lock: bool = False) -> TimetableEntry:
    """One of the person's entries; with `lock`, locked. Raises NotFound."""
    statement = select(TimetableEntry).where(TimetableEntry.id == entry_id, TimetableEntry.user_id == user_id)
    entry = session.scalar(statement.with_for_update(key_share=True) if lock else statement)
    if entry is None:
        raise NotFound(f"There is no timetable entry {entry_id} of yours.")
    return entry


def delete_entry(session: Session, user_id: int, entry_id: int) -> None:
    """Delete one of the person's entries, with its reminders. Raises NotFound."""
    find_entry(session, user_id, entry_id, lock=True)
    session.execute(delete(TimetableEntry).where(TimetableEntry.id == entry_id))


def _assign(entry: TimetableEntry, values: Mapping[str, Any], *, form: Mapping[str, Any] | None) -> None:
    """Set the columns; with `form` also the days, normalised."""
    for name in values.keys() - {*_FORM}:
        # NULL in a field that has a default, such as the zone, keeps the present value.
        if values[name] is not None or TimetableEntry.__table__.columns[name].nullable:
            setattr(entry, name, values[name])
    if entry.alarm_enabled and entry.alarm_before_minutes is None:
        entry.alarm_before_minutes = USUAL_ALARM
    if form is None:
        return
    days = entry_days(
        PlatformForm(
            form["schedule_type"],
            form.get("months") or (),
            form.get("days") or (),
            specific_dates=form.get("specific_dates") or (),
        ),
        entry.year,
    )
    require_days(days)
    entry.schedule_type = days.schedule_type
    entry.months, entry.days, entry.specific_dates = list(days.months), list(days.days), list(days.specific_dates)


def _zone_of(session: Session, user_id: int, default: str) -> str:
    """The zone of entries that name none: the person's own, else the default."""
    return known_zone(session.scalar(select(User.timezone).where(User.id == user_id)), default)
