"""Entries imported from the platform; their reminders are left to beat, which plans them within a minute."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, time

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.schedules.timetable.form import EntryDays


@dataclass(frozen=True)
class PlatformEntry:
    """The columns of an entry that the platform determines; `id` is None for a new one."""

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
    # None when unknown: the current time is stored.
    created_at: datetime | None
    updated_at: datetime | None


_IDS = text("SELECT nextval(pg_get_serial_sequence('timetable_entries', 'id')) FROM generate_series(1, :number)")
_LOCK = text("SELECT id FROM timetable_entries WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")
_COLUMNS = (
    "user_id, role, title, description, priority_level, schedule_type, year, months, days, specific_dates, start_time,"
    " end_time, timezone, notes, status, alarm_enabled, alarm_before_minutes, notification_browser, notification_sound"
)
# Lists are JSON arrays in the rows.
_ROW = """
    AS row (id integer, user_id integer, role text, title text, description text, priority_level text,
            schedule_type text, year integer, months varchar[], days varchar[], specific_dates date[], start_time time,
            end_time time, timezone text, notes text, status text, alarm_enabled boolean, alarm_before_minutes integer,
            notification_browser boolean, notification_sound boolean, created_at timestamptz, updated_at timestamptz)
"""
_CREATE = text(
    f"""
    INSERT INTO timetable_entries (id, {_COLUMNS}, created_at, updated_at)
    SELECT id, {_COLUMNS}, created_at, updated_at FROM json_to_recordset(CAST(:rows AS json)) {_ROW} ORDER BY id
    """  # noqa: S608 - constants of this module
)
_CHANGE = text(
    f"""
    UPDATE timetable_entries entry
       SET ({_COLUMNS}, created_at, updated_at, sequence, planned_at)
           = ROW ({", ".join(f"row.{name}" for name in _COLUMNS.split(", "))}, row.created_at, row.updated_at,
                  entry.sequence + 1, NULL)
      FROM json_to_recordset(CAST(:rows AS json)) {_ROW}
     WHERE entry.id = row.id
    """  # noqa: S608 - constants of this module
)
_DELETE = text("DELETE FROM timetable_entries WHERE id = ANY(:ids)")


def store_platform_entries(session: Session, entries: Sequence[PlatformEntry], *, now: datetime) -> list[int]:
    """Insert or update entries; returns their ids in order. One deleted here and changed there comes back.

    Idempotent.
    """
    if not entries:
        return []
    known = {entry.id for entry in entries if entry.id is not None}
    there = set(session.scalars(_LOCK, {"ids": sorted(known)}))
    fresh = iter(session.scalars(_IDS, {"number": sum(entry.id not in there for entry in entries)}).all())
    ids = [entry.id if entry.id is not None and entry.id in there else next(fresh) for entry in entries]
    placed = list(zip(ids, entries, strict=True))
    for statement, is_new in ((_CHANGE, False), (_CREATE, True)):
        rows = [_row(entry_id, entry, now) for entry_id, entry in placed if (entry_id not in there) is is_new]
        if rows:
            session.execute(statement, {"rows": json.dumps(rows, default=str)})
    return ids


def delete_platform_entries(session: Session, ids: Collection[int]) -> None:
    """Delete entries that the platform has deleted, with their reminders. Idempotent."""
    session.execute(_DELETE, {"ids": sorted(ids)})


def _row(entry_id: int, entry: PlatformEntry, now: datetime) -> dict[str, object]:
    created_at = entry.created_at or now
    return {
        **vars(entry),
        **vars(entry.days),
        # The field `days` of an entry holds all of these.
        "days": entry.days.days,
        "id": entry_id,
        "created_at": created_at,
        "updated_at": entry.updated_at or created_at,
    }
