"""Send reminders before quiet hours if they would be of no use after them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ARRAY, BigInteger, DateTime, Integer, TextClause, bindparam, text
from sqlalchemy.orm import Session

from worker.calendars.zones import known_zone, zone, zone_names
from worker.reminders.planning.quiet_hours import quiet_since, quiet_until

# This long before quiet hours begin, which leaves time for a retry.
_MARGIN = timedelta(minutes=5)

# The reminders of people with quiet hours, and those moved for quiet hours that have changed since. Postponed ones have
# a reason, and those being sent are locked: neither is touched.
_WAITING = """
    SELECT d.id, d.{subject} AS subject_id, d.user_id, d.channel, d.due_at, d.expires_at, preference.quiet_start,
           preference.quiet_end, coalesce(preference.timezone, person.timezone) AS timezone,
           subject.timezone AS timezone_of_subject,
           d.starts_at - make_interval(mins => d.minutes_before) AS own_time
      FROM deliveries d
      JOIN {view} subject ON subject.id = d.{subject}
      JOIN users person ON person.id = d.user_id
      LEFT JOIN notification_preferences preference ON preference.user_id = d.user_id
     WHERE d.{subject} = ANY(:ids) AND d.kind = '{kind}' AND d.state = 'pending' AND d.reason IS NULL
       AND d.channel <> 'in_app' AND (d.user_id = :user_id OR CAST(:user_id AS integer) IS NULL)
       AND d.starts_at - make_interval(mins => d.minutes_before) > :now
       AND (preference.quiet_start IS NOT NULL OR d.due_at <> d.starts_at - make_interval(mins => d.minutes_before))
     ORDER BY d.minutes_before DESC, d.id
       FOR NO KEY UPDATE OF d SKIP LOCKED
"""
_MOVE = text(
    """
    UPDATE deliveries d SET due_at = moved.due_at, updated_at = now()
      FROM unnest(:ids, :times) AS moved (id, due_at) WHERE d.id = moved.id
    """
).bindparams(bindparam("ids", type_=ARRAY(BigInteger)), bindparam("times", type_=ARRAY(DateTime(timezone=True))))


def _waiting(kind: str, subject: str, view: str) -> TextClause:
    statement = text(_WAITING.format(kind=kind, subject=subject, view=view))
    return statement.bindparams(bindparam("ids", type_=ARRAY(Integer), literal_execute=True))


LESSONS = _waiting("lesson-reminder", "schedule_id", "lessons")
ENTRIES = _waiting("entry-reminder", "entry_id", "timetable")


def send_before_quiet_hours(
    session: Session, reminders: TextClause, subject_ids: Sequence[int], *, now: datetime, user_id: int | None
) -> None:
    """Set the due times of the pending reminders of these subjects, which the caller has locked.

    A reminder is due at its own time, or before quiet hours that would outlast it. `reminders` is LESSONS or ENTRIES,
    and `subject_ids` are theirs. Of several reminders of one subject that fall into the same quiet hours, the earliest
    is sent before them. Idempotent.
    """
    moved: dict[int, datetime] = {}
    sent_before: set[tuple[int, int, str, datetime | None]] = set()
    values = {"ids": list(subject_ids), "user_id": user_id, "now": now}
    for row in session.execute(reminders, values):
        begin, due_at = _last_moment(row), row.own_time
        night = (row.subject_id, row.user_id, row.channel, begin)
        if begin is not None and now < begin and night not in sent_before:
            sent_before.add(night)
            due_at = max(begin - _MARGIN, now)
        if due_at != row.due_at:
            moved[row.id] = due_at
    if moved:
        session.execute(_MOVE, {"ids": [*moved], "times": [*moved.values()]})


def _last_moment(row: Any) -> datetime | None:
    """When the quiet hours begin that include the reminder and end too late for it; None if there are none."""
    place = known_zone(row.timezone, row.timezone_of_subject or "")
    if place not in zone_names():
        return None
    hours = (row.quiet_start, row.quiet_end, zone(place), row.own_time)
    until = quiet_until(*hours)
    return quiet_since(*hours) if until is not None and until >= row.expires_at else None
