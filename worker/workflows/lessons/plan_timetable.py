"""Timetable entries and their reminders: changed together in one transaction, and planned again every hour.

Occurrences are computed, not stored, so reminders exist only for those of the next days.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy.orm import Session

from models.timetable import TimetableEntry
from worker.access.callers import UserCaller
from worker.errors import InvalidInput
from worker.logs import get_logger
from worker.reminders.planning.entries import RequiredReminder, plan_entry_reminders
from worker.reminders.planning.preferences import lock_person
from worker.schedules.timetable.entries import create_entry, delete_entry, edit_entry, find_entry
from worker.schedules.timetable.form import occurrences
from worker.schedules.timetable.planning import due_entries, entries_of_person, has_alarm

_log = get_logger(__name__)

# Reminders due within this time are stored: a shorter outage of beat loses none.
AHEAD = timedelta(days=2)
# A reminder may still be waiting for this long after the start.
_STILL_WAITING = timedelta(minutes=10)


def add_entry(
    session: Session, caller: UserCaller, values: Mapping[str, Any], *, default_zone: str, now: datetime
) -> TimetableEntry:
    """Store an entry for the caller, in the role that they act in, and plan its reminders.

    Raises InvalidInput, Conflict for too many entries.
    """
    lock_person(session, caller.user_id)
    role = caller.role if caller.role in ("tutor", "student", "parent") else None
    entry = create_entry(session, caller.user_id, role, values, default_zone=default_zone, now=now)
    plan_entries(session, [entry], now=now)
    return entry


def change_entry(
    session: Session, caller: UserCaller, entry_id: int, values: Mapping[str, Any], *, now: datetime
) -> TimetableEntry:
    """Change one of the caller's entries; its unsent reminders follow. Raises NotFound, InvalidInput."""
    entry = find_entry(session, caller.user_id, entry_id, lock=True)
    edit_entry(session, entry, values, now=now)
    plan_entries(session, [entry], now=now)
    return entry


def remove_entry(session: Session, caller: UserCaller, entry_id: int) -> None:
    """Delete one of the caller's entries, with its reminders. Raises NotFound."""
    delete_entry(session, caller.user_id, entry_id)


def plan_entries(session: Session, entries: Sequence[TimetableEntry], *, now: datetime) -> int:
    """Bring the reminders of these entries, which the caller has locked, in line with them; return how many are new."""
    required = [reminder for entry in entries if has_alarm(entry) for reminder in _reminders(entry, now)]
    planned = plan_entry_reminders(session, [entry.id for entry in entries], required, now=now)
    for entry in entries:
        entry.planned_at = now
    session.flush()
    return planned.planned


def plan_due_entries(session: Session, *, now: datetime, most: int) -> int:
    """Plan at most `most` entries that were changed without being planned, or were last planned an hour ago.

    Returns how many there were. Entries locked by another transaction are left to it.
    """
    entries = due_entries(session, now=now, most=most)
    plan_entries(session, entries, now=now)
    return len(entries)


def plan_entries_of(session: Session, user_id: int, *, now: datetime) -> None:
    """Bring the reminders of all entries of a person in line with their preferences."""
    plan_entries(session, entries_of_person(session, user_id), now=now)


def _reminders(entry: TimetableEntry, now: datetime) -> list[RequiredReminder]:
    minutes = entry.alarm_before_minutes or 0
    try:
        times = occurrences(entry, now - _STILL_WAITING, now + AHEAD + timedelta(minutes=minutes))
    except InvalidInput as error:
        # A row written by hand; it must not block the others.
        _log.warning("timetable_entry_unreadable", entry_id=entry.id, detail=error.detail)
        return []
    return [RequiredReminder(entry.id, entry.user_id, minutes, when.starts_at) for when in times]
