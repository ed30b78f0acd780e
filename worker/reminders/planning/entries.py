"""Reminders of a person's own timetable: one alarm for each occurrence, by the channels of the person's preferences."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ARRAY, DateTime, Integer, bindparam, text
from sqlalchemy.orm import Session

from worker.reminders.planning.before_quiet_hours import ENTRIES, send_before_quiet_hours
from worker.reminders.planning.changes import JUST_NOW, PlanChanges, changes_of
from worker.reminders.planning.preferences import DEFAULTS

# Occurrences are passed as values, since their rules are computed in Python.
_ALARMS = """
    alarm AS (
        SELECT required.*, 'entry:' || entry_id || ':' AS key_begin,
               ':' || extract(epoch FROM starts_at)::bigint AS key_end,
               coalesce(preference.channels, CAST(:channels AS varchar[])) AS channels
          FROM unnest(:entry_ids, :user_ids, :minutes, :starts)
               AS required (entry_id, user_id, minutes_before, starts_at)
          JOIN users ON users.id = required.user_id AND users.is_active
          LEFT JOIN notification_preferences preference ON preference.user_id = required.user_id)
"""
_INTEGERS = ("entry_ids", "user_ids", "minutes")
_PLAN = text(f"WITH {_ALARMS}, {changes_of('entry-reminder', 'entry_id')}").bindparams(
    bindparam("ids", type_=ARRAY(Integer), literal_execute=True),
    bindparam("starts", type_=ARRAY(DateTime(timezone=True))),
    *(bindparam(name, type_=ARRAY(Integer)) for name in _INTEGERS),
)


@dataclass(frozen=True)
class RequiredReminder:
    """The reminder of one occurrence of an entry."""

    entry_id: int
    user_id: int
    minutes_before: int
    starts_at: datetime


def plan_entry_reminders(
    session: Session, entry_ids: Sequence[int], required: Sequence[RequiredReminder], *, now: datetime
) -> PlanChanges:
    """Bring the pending reminders of these entries, which the caller has locked, in line with the required ones.

    `required` covers all occurrences whose reminders may be pending. Alarms whose time has passed are not sent late.
    Idempotent.
    """
    if not entry_ids:
        return PlanChanges(0, 0)
    session.flush()
    values = {
        "ids": list(entry_ids),
        "entry_ids": [reminder.entry_id for reminder in required],
        "user_ids": [reminder.user_id for reminder in required],
        "minutes": [reminder.minutes_before for reminder in required],
        "starts": [reminder.starts_at for reminder in required],
        "channels": list(DEFAULTS.channels),
        "now": now,
        "since": now - JUST_NOW,
        "user_id": None,
    }
    planned, cancelled = session.execute(_PLAN, values).one()
    send_before_quiet_hours(session, ENTRIES, entry_ids, now=now, user_id=None)
    return PlanChanges(planned, cancelled)
