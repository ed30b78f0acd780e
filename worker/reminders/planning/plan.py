"""Reminders of lessons: insert the required rows of `deliveries`, and cancel those that are no longer required.

Thousands of lessons in one statement, in the transaction that changed them. Every planner locks the lesson's row: of
two concurrent ones the second waits and then plans on the result of the first, so each sees the other's changes. Series
are locked before lessons, here as everywhere; the opposite order would deadlock.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import ARRAY, Integer, bindparam, text
from sqlalchemy.orm import Session

from worker.reminders.planning.before_quiet_hours import LESSONS, send_before_quiet_hours
from worker.reminders.planning.changes import JUST_NOW, PlanChanges, changes_of
from worker.reminders.planning.people import PERSON, lessons_of_person
from worker.reminders.planning.preferences import DEFAULTS
from worker.reminders.planning.quiet_hours import QUIET_HOURS

# How many lessons one statement plans, which takes some tenths of a second.
_PIECE = 2_000

_LOCK_SERIES = text(
    """
    SELECT id FROM lesson_series
     WHERE id IN (SELECT series_id FROM lessons WHERE id = ANY(:ids)) ORDER BY id FOR NO KEY UPDATE
    """
)
_LOCK_LESSONS = text("SELECT id FROM lessons WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")

# The statement that plans reminders: people -> readers -> alarms -> changes (worker.reminders.planning.changes).
#
# Fast with one lesson and with thousands: the ids are literals in the SQL, since a generic plan for lists of any length
# can take minutes; and required and stored rows are compared by grouping, which no wrong estimate turns into a nested
# loop. All parts are one statement: the rows of one part never leave the server.

# Each active person of each lesson once, with the alarms and channels of their preferences, and whether their own
# alarms for the lesson or its series replace those. People of the platform without preferences have no alarms. The key
# of a reminder is key_begin || minutes || key_end.
_READERS = """
    reader AS MATERIALIZED (
        SELECT DISTINCT ON (person.schedule_id, person.user_id)
               person.schedule_id, person.series_id, person.starts_at, person.user_id,
               person.key_begin, person.key_end,
               coalesce(preference.alarms, CASE WHEN users.platform_read_at IS NULL
                                                THEN CAST(:alarms AS integer[]) ELSE '{}' END) AS alarms,
               coalesce(preference.channels, CAST(:channels AS varchar[])) AS channels,
               EXISTS (SELECT FROM lesson_alarms own
                        WHERE own.schedule_id = person.schedule_id AND own.user_id = person.user_id) AS has_own,
               EXISTS (SELECT FROM lesson_alarms own
                        WHERE own.series_id = person.series_id AND own.user_id = person.user_id) AS has_of_series
          FROM person
          JOIN users ON users.id = person.user_id AND users.is_active
          LEFT JOIN notification_preferences preference ON preference.user_id = person.user_id
         WHERE person.user_id = :user_id OR CAST(:user_id AS integer) IS NULL)
"""
# Each alarm that applies to a reader: those of the lesson, else those of its series, else those of the preferences. A
# row without minutes records the request not to be reminded.
_ALARMS = """
    alarm AS (
        SELECT reader.schedule_id, reader.user_id, starts_at, key_begin, key_end, own.minutes_before,
               coalesce(own.channels, reader.channels) AS channels
          FROM reader
          JOIN lesson_alarms own ON own.schedule_id = reader.schedule_id AND own.user_id = reader.user_id
         WHERE has_own
         UNION ALL
        SELECT reader.schedule_id, reader.user_id, starts_at, key_begin, key_end, own.minutes_before,
               coalesce(own.channels, reader.channels)
          FROM reader
          JOIN lesson_alarms own ON own.series_id = reader.series_id AND own.user_id = reader.user_id
         WHERE has_of_series AND NOT has_own
         UNION ALL
        SELECT schedule_id, user_id, starts_at, key_begin, key_end, usual.minutes_before, channels
          FROM reader CROSS JOIN unnest(alarms) AS usual (minutes_before)
         WHERE NOT has_own AND NOT has_of_series)
"""
_PLAN = text(f"WITH {PERSON}, {_READERS}, {_ALARMS}, {changes_of('lesson-reminder', 'schedule_id')}").bindparams(
    bindparam("ids", type_=ARRAY(Integer), literal_execute=True)
)
_AHEAD = text(
    """
    SELECT id FROM lessons
     WHERE NOT is_slot AND status = 'scheduled' AND starts_at > :now AND id > :after
     ORDER BY id LIMIT :most
    """
)
# No reminder is due before its own time; GREATEST ignores the NULL of other messages. Locked rows are being claimed or
# planned and are skipped: waiting for rows locked in another order would deadlock.
_RECHECK = text(
    """
    UPDATE deliveries
       SET due_at = greatest(CAST(:now AS timestamptz), starts_at - make_interval(mins => minutes_before)),
           reason = NULL, updated_at = now()
     WHERE id IN (SELECT id FROM deliveries
                   WHERE user_id = :user_id AND state = 'pending' AND reason = :reason AND due_at > :now
                     FOR NO KEY UPDATE SKIP LOCKED)
    """
)


def plan_reminders(
    session: Session, schedule_ids: Sequence[int], *, now: datetime, user_id: int | None = None
) -> PlanChanges:
    """Bring the pending reminders of these lessons in line with the lessons, their people and their alarms.

    With `user_id`, only those of one person. Alarms whose time has passed are not sent late. A reminder that was sent,
    or is being sent, stays as it is. Idempotent. Locks the lessons: a caller that has not locked the series or the
    lessons before must call `lock_series_of` first.
    """
    session.flush()
    planned = cancelled = 0
    ids = sorted(set(schedule_ids))
    values = {
        "now": now,
        "since": now - JUST_NOW,
        "user_id": user_id,
        "alarms": list(DEFAULTS.alarms),
        "channels": list(DEFAULTS.channels),
    }
    for first in range(0, len(ids), _PIECE):
        piece = ids[first : first + _PIECE]
        session.execute(_LOCK_LESSONS, {"ids": piece})
        added, removed = session.execute(_PLAN, {**values, "ids": piece}).one()
        planned, cancelled = planned + added, cancelled + removed
        send_before_quiet_hours(session, LESSONS, piece, now=now, user_id=user_id)
    return PlanChanges(planned, cancelled)


def lock_series_of(session: Session, schedule_ids: Sequence[int]) -> None:
    """Lock the series of these lessons, before any lesson is locked, so that concurrent changes are serialised."""
    session.execute(_LOCK_SERIES, {"ids": list(schedule_ids)})


def plan_for_person(session: Session, user_id: int, *, now: datetime) -> PlanChanges:
    """Bring all pending reminders of a person in line with their current alarms and preferences."""
    session.flush()
    ids = lessons_of_person(session, user_id, now)
    lock_series_of(session, ids)
    return plan_reminders(session, ids, now=now, user_id=user_id)


def recheck_after_quiet_hours(session: Session, user_id: int, *, now: datetime) -> None:
    """Make due everything that waits for the end of a person's quiet hours: the sender then checks the new ones."""
    session.execute(_RECHECK, {"user_id": user_id, "now": now, "reason": QUIET_HOURS})


def plan_ahead(session: Session, *, now: datetime, after: int, most: int) -> tuple[PlanChanges, int | None]:
    """Plan at most `most` future lessons with ids above `after`, whatever their state.

    For changes that no workflow of ours made: a new parent, a reactivated account, a row written by hand. Also returns
    where the next batch starts (None: this was the last).
    """
    ids = session.scalars(_AHEAD, {"now": now, "after": after, "most": most}).all()
    lock_series_of(session, ids)
    planned = plan_reminders(session, ids, now=now)
    return planned, ids[-1] if len(ids) == most else None
