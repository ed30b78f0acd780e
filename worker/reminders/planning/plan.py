"""Reminders of lessons: insert the required rows of `deliveries`, and cancel those that are no longer required.

Thousands of lessons in one statement, in the transaction that changed them. Every planner locks the lesson's row: of
two concurrent ones the second waits and then plans on the result of the first, so each sees the other's changes. Series
are locked before lessons, here as everywhere; the opposite order would deadlock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ARRAY, Integer, bindparam, text
from sqlalchemy.orm import Session

from worker.reminders.planning.before_quiet_hours import send_before_quiet_hours
from worker.reminders.planning.people import PERSON, lessons_of_person
from worker.reminders.planning.preferences import DEFAULTS
from worker.reminders.planning.quiet_hours import QUIET_HOURS

# An alarm whose time passed while a lesson was being created still gets a reminder.
_JUST_NOW = timedelta(seconds=60)
# What is planned in one statement: some tenths of a second.
_PIECE = 2_000

_LOCK_SERIES = text(
    """
    SELECT id FROM lesson_series
     WHERE id IN (SELECT series_id FROM lessons WHERE id = ANY(:ids)) ORDER BY id FOR NO KEY UPDATE
    """
)
_LOCK_LESSONS = text("SELECT id FROM lessons WHERE id = ANY(:ids) ORDER BY id FOR NO KEY UPDATE")

# The statement that plans reminders, in six parts: people -> readers -> alarms -> compared -> changes -> their counts.
#
# Fast with one lesson and with thousands: the ids are literals in the SQL, since a generic plan for lists of any length
# can take minutes; and required and stored rows are compared by grouping, which no wrong estimate turns into a nested
# loop. All parts are one statement: the rows of one part never leave the server.

# Each active person of each lesson once, with the alarms and channels of their preferences, and whether alarms of their
# own for the lesson or its series take the place of those. Without preferences somebody of the platform has no alarms.
# The key of a reminder is key_begin || minutes || key_end.
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
# row without minutes is the request not to be reminded.
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
# Required reminders (with `starts_at`) beside stored ones (with `id` and `state`); a row with both is a reminder that
# is required and stored.
_COMPARED = """
    compared AS MATERIALIZED (
        SELECT key, user_id, channel, max(id) AS id, max(state) AS state, max(schedule_id) AS schedule_id,
               max(minutes_before) AS minutes_before, max(starts_at) AS starts_at,
               max(starts_at) - make_interval(mins => max(minutes_before)) AS due_at
          FROM (
            SELECT key_begin || minutes_before || key_end AS key, user_id, way.channel, NULL AS id, NULL AS state,
                   schedule_id, minutes_before, starts_at
              FROM alarm CROSS JOIN unnest(channels) AS way (channel)
             WHERE minutes_before IS NOT NULL
             UNION ALL
            SELECT key, user_id, channel, id, state, NULL, NULL, NULL FROM deliveries
             WHERE schedule_id = ANY(:ids) AND kind = 'lesson-reminder'
               AND (user_id = :user_id OR CAST(:user_id AS integer) IS NULL)) AS both_sides
         GROUP BY key, user_id, channel)
"""
# Stored and no longer required: cancelled. Required and cancelled before: pending again. Required and not stored:
# inserted. A reminder at the very start would be late as soon as it is due, hence a few minutes of grace.
# No ON CONFLICT, which would cost a lookup per row: the lessons are locked, so nobody else adds any.
_CHANGES = """
    cancelled AS (
        UPDATE deliveries SET state = 'cancelled', reason = 'not wanted any more', updated_at = now()
         WHERE state = 'pending' AND id IN (
             SELECT id FROM compared WHERE compared.state = 'pending' AND compared.starts_at IS NULL)
     RETURNING 1),
    timely AS (SELECT * FROM compared WHERE due_at >= :since AND starts_at > :now),
    revived AS (
        UPDATE deliveries
           SET state = 'pending', reason = NULL, attempts = 0, due_at = timely.due_at, updated_at = now()
          FROM timely
         WHERE deliveries.id = timely.id AND timely.state = 'cancelled' AND deliveries.state = 'cancelled'
     RETURNING 1),
    planned AS (
        INSERT INTO deliveries (kind, user_id, channel, schedule_id, minutes_before, starts_at, key, due_at, expires_at)
        SELECT 'lesson-reminder', user_id, channel, schedule_id, minutes_before, starts_at, key, due_at,
               CASE WHEN minutes_before > 0 THEN starts_at ELSE starts_at + interval '5 minutes' END
          FROM timely WHERE id IS NULL
     RETURNING 1)
"""
_COUNTS = "SELECT (SELECT count(*) FROM planned) + (SELECT count(*) FROM revived), (SELECT count(*) FROM cancelled)"
_PLAN = text(f"WITH {PERSON}, {_READERS}, {_ALARMS}, {_COMPARED}, {_CHANGES} {_COUNTS}").bindparams(
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
_LOOK_AGAIN = text(
    """
    UPDATE deliveries
       SET due_at = greatest(CAST(:now AS timestamptz), starts_at - make_interval(mins => minutes_before)),
           reason = NULL, updated_at = now()
     WHERE id IN (SELECT id FROM deliveries
                   WHERE user_id = :user_id AND state = 'pending' AND reason = :reason AND due_at > :now
                     FOR NO KEY UPDATE SKIP LOCKED)
    """
)


@dataclass(frozen=True)
class Planned:
    """How many reminders were newly planned, and how many were cancelled."""

    planned: int
    cancelled: int


def plan_reminders(
    session: Session, schedule_ids: Sequence[int], *, now: datetime, user_id: int | None = None
) -> Planned:
    """Bring the pending reminders of these lessons in line with the lessons, their people and their alarms.

    With `user_id`, those of one person only. Alarms whose time has passed are not sent late. A reminder that was sent,
    or is being sent, stays as it is. Idempotent. Locks the lessons: a caller that has not locked the series or the
    lessons before must call `hold_series` first.
    """
    session.flush()
    planned = cancelled = 0
    ids = sorted(set(schedule_ids))
    values = {
        "now": now,
        "since": now - _JUST_NOW,
        "user_id": user_id,
        "alarms": list(DEFAULTS.alarms),
        "channels": list(DEFAULTS.channels),
    }
    for first in range(0, len(ids), _PIECE):
        piece = ids[first : first + _PIECE]
        session.execute(_LOCK_LESSONS, {"ids": piece})
        added, removed = session.execute(_PLAN, {**values, "ids": piece}).one()
        planned, cancelled = planned + added, cancelled + removed
        send_before_quiet_hours(session, piece, now=now, user_id=user_id)
    return Planned(planned, cancelled)


def hold_series(session: Session, schedule_ids: Sequence[int]) -> None:
    """Lock the series of these lessons, before any lesson is locked, so that concurrent changes are serialised."""
    session.execute(_LOCK_SERIES, {"ids": list(schedule_ids)})


def plan_for_person(session: Session, user_id: int, *, now: datetime) -> Planned:
    """Bring all pending reminders of a person in line with their current alarms and preferences."""
    session.flush()
    ids = lessons_of_person(session, user_id, now)
    hold_series(session, ids)
    return plan_reminders(session, ids, now=now, user_id=user_id)


def look_again_after_quiet_hours(session: Session, user_id: int, *, now: datetime) -> None:
    """Make due what waits for the end of a person's quiet hours: the sender then checks the new ones."""
    session.execute(_LOOK_AGAIN, {"user_id": user_id, "now": now, "reason": QUIET_HOURS})


def plan_ahead(session: Session, *, now: datetime, after: int, most: int) -> tuple[Planned, int | None]:
    """Plan at most `most` future lessons, from lesson `after` on, whatever their state.

    For changes that no workflow of ours made: a new parent, a reactivated account, a row written by hand. Also returns
    where the next batch starts (None: this was the last).
    """
    ids = session.scalars(_AHEAD, {"now": now, "after": after, "most": most}).all()
    hold_series(session, ids)
    planned = plan_reminders(session, ids, now=now)
    return planned, ids[-1] if len(ids) == most else None
