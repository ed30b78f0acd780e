"""Entries that come from the platform: stored without planning their reminders, which beat does within a minute."""

from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, time
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.orm import Session

from models.timetable import TimetableEntry
from worker.schedules.timetable.form import EntryDays


@dataclass(frozen=True)
class PlatformEntry:
    """The columns of an entry that the platform determines. `id` None: it is new."""

    id: int | None
    user_id: int
    role: str | None
    title: str
    description: str | None
    priority_level: str
    days: EntryDays
    start_time: time
    end_time: time
    timezone: str
    notes: str | None
    status: str
    alarm_enabled: bool
    alarm_before_minutes: int | None
    notification_browser: bool
    notification_sound: bool
    # None: not known; then now.
    created_at: datetime | None
    updated_at: datetime | None


def store_platform_entries(session: Session, entries: Sequence[PlatformEntry], *, now: datetime) -> list[int]:
    """Insert or change entries; their ids, in the order given. One that was deleted here and changed there comes back.

    Idempotent.
    """
    sequences = _sequences(session, [entry.id for entry in entries if entry.id is not None])
    changed = [
        _columns(entry, now) | {"id": entry.id, "sequence": sequences[entry.id] + 1}
        for entry in entries
        if entry.id in sequences
    ]
    if changed:
        session.execute(update(TimetableEntry), changed)
    new = [_columns(entry, now) for entry in entries if entry.id not in sequences]
    statement = insert(TimetableEntry).returning(TimetableEntry.id, sort_by_parameter_order=True)
    ids = iter(session.scalars(statement, new).all() if new else [])
    return [entry.id if entry.id is not None and entry.id in sequences else next(ids) for entry in entries]


def delete_platform_entries(session: Session, ids: Collection[int]) -> None:
    """Delete entries that the platform has deleted, with their reminders. Idempotent."""
    session.execute(delete(TimetableEntry).where(TimetableEntry.id == func.any(list(ids))))


def _sequences(session: Session, ids: Collection[int]) -> dict[int | None, int]:
    """The sequence of each of these entries that still exists, locked in the order of ids."""
    statement = select(TimetableEntry.id, TimetableEntry.sequence).where(TimetableEntry.id == func.any(list(ids)))
    rows = session.execute(statement.order_by(TimetableEntry.id).with_for_update(key_share=True))
    return {row.id: row.sequence for row in rows}


def _columns(entry: PlatformEntry, now: datetime) -> dict[str, Any]:
    columns = asdict(entry)
    days = columns.pop("days")
    del columns["id"]
    created_at = entry.created_at or now
    lists = {name: list(days[name]) for name in ("months", "days", "specific_dates")}
    return columns | {
        "schedule_type": days["schedule_type"],
        "year": days["year"],
        **lists,
        "created_at": created_at,
        "updated_at": entry.updated_at or created_at,
        "planned_at": None,
    }
