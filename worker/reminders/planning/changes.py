"""What all statements that plan reminders share: they compare required rows of `deliveries` with stored ones.

This SQL follows a common table expression `alarm`: a row for each alarm, with `user_id`, `starts_at`, `minutes_before`,
the `channels`, the parts of its key (key_begin || minutes || key_end), and the id of its subject.
"""

from dataclasses import dataclass
from datetime import timedelta

# An alarm whose time passed while its subject was being created still gets a reminder.
JUST_NOW = timedelta(seconds=60)


@dataclass(frozen=True)
class PlanChanges:
    """How many reminders were newly planned, and how many were cancelled."""

    planned: int
    cancelled: int


# Required reminders (with `starts_at`) joined to stored ones (with `id` and `state`); a row with both is a reminder
# that is required and stored.
_COMPARED = """
    compared AS MATERIALIZED (
        SELECT key, user_id, channel, max(id) AS id, max(state) AS state, max({subject}) AS {subject},
               max(minutes_before) AS minutes_before, max(starts_at) AS starts_at,
               max(starts_at) - make_interval(mins => max(minutes_before)) AS due_at
          FROM (
            SELECT key_begin || minutes_before || key_end AS key, user_id, chosen.channel, NULL AS id, NULL AS state,
                   {subject}, minutes_before, starts_at
              FROM alarm CROSS JOIN unnest(channels) AS chosen (channel)
             WHERE minutes_before IS NOT NULL
             UNION ALL
            SELECT key, user_id, channel, id, state, NULL, NULL, NULL FROM deliveries
             WHERE {subject} = ANY(:ids) AND kind = '{kind}'
               AND (user_id = :user_id OR CAST(:user_id AS integer) IS NULL)) AS both_sides
         GROUP BY key, user_id, channel)
"""
# Stored and no longer required: cancelled, unless it replaces a required reminder that another channel did not send:
# such a row (worker.reminders.delivery.fail) may wait for hours, and no alarm names its channel. Required and cancelled
# before: pending again. Required and not stored: inserted. A reminder at the very start would be late as soon as it is
# due, hence a few minutes of grace.
# NOT IN: its list is hashed whatever the estimates; NOT EXISTS could become a nested loop.
# No ON CONFLICT, which would cost a lookup per row: the subjects are locked, so nobody else adds any.
_CHANGES = """
    replaced AS MATERIALIZED (
        SELECT key, user_id FROM compared WHERE state IN ('failed', 'dropped') AND starts_at IS NOT NULL),
    cancelled AS (
        UPDATE deliveries SET state = 'cancelled', reason = 'not wanted any more', updated_at = now()
         WHERE state = 'pending' AND id IN (
             SELECT id FROM compared
              WHERE compared.state = 'pending' AND compared.starts_at IS NULL
                AND (key, user_id) NOT IN (SELECT key, user_id FROM replaced))
     RETURNING 1),
    timely AS (SELECT * FROM compared WHERE due_at >= :since AND starts_at > :now),
    revived AS (
        UPDATE deliveries
           SET state = 'pending', reason = NULL, attempts = 0, due_at = timely.due_at, updated_at = now()
          FROM timely
         WHERE deliveries.id = timely.id AND timely.state = 'cancelled' AND deliveries.state = 'cancelled'
     RETURNING 1),
    planned AS (
        INSERT INTO deliveries (kind, user_id, channel, {subject}, minutes_before, starts_at, key, due_at, expires_at)
        SELECT '{kind}', user_id, channel, {subject}, minutes_before, starts_at, key, due_at,
               CASE WHEN minutes_before > 0 THEN starts_at ELSE starts_at + interval '5 minutes' END
          FROM timely WHERE id IS NULL
     RETURNING 1)
"""
_COUNTS = "SELECT (SELECT count(*) FROM planned) + (SELECT count(*) FROM revived), (SELECT count(*) FROM cancelled)"


def changes_of(kind: str, subject: str) -> str:
    """SQL that brings the reminders of this kind in line with `alarm`, and counts the changes.

    `subject` is the column of `deliveries` and `alarm` with the id of their subject.
    """
    return f"{_COMPARED.format(kind=kind, subject=subject)}, {_CHANGES.format(kind=kind, subject=subject)} {_COUNTS}"
