"""Metrics for operators: whether due deliveries are being sent, and how they ended."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.reminders.delivery.provider_troubles import trouble_seconds
from worker.reminders.planning.quiet_hours import QUIET_HOURS

# Pending and claimed deliveries have an index each.
_OVERDUE = text(
    """
    SELECT coalesce(extract(epoch FROM now() - min(due_at)), 0)::float
      FROM ((SELECT due_at FROM deliveries WHERE state = 'pending' AND due_at <= now() ORDER BY due_at LIMIT 1)
             UNION ALL
            (SELECT min(due_at) FROM deliveries WHERE state = 'sending' AND due_at <= now())) AS oldest
    """
)
# Deliveries that are due or will be within an hour, and those that ended within one: older and later ones say nothing,
# and would be counted at every scrape. ORDER BY and LIMIT, because the planner assumes that most pending ones are due,
# and would read the whole table.
_COUNTS = text(
    """
    SELECT state, kind, count(*) FROM (
        SELECT state, kind FROM deliveries WHERE state = 'pending' AND due_at < now() + interval '1 hour'
         ORDER BY due_at LIMIT 100000) AS soon GROUP BY state, kind
     UNION ALL
    SELECT state, kind, count(*) FROM deliveries WHERE state = 'sending' GROUP BY state, kind
     UNION ALL
    SELECT state, kind, count(*) FROM deliveries
     WHERE state NOT IN ('pending', 'sending') AND updated_at > now() - interval '1 hour' GROUP BY state, kind
     ORDER BY 1, 2
    """
)
# Postponed because of their provider: it is unavailable, refuses, or is paused by its circuit breaker.
_PUT_OFF = text(
    """
    SELECT names.channel, count(d.id) AS waiting FROM (VALUES ('email'), ('registered')) AS names (channel)
      LEFT JOIN deliveries d ON d.state IN ('pending', 'sending') AND d.channel <> 'in_app'
       AND d.reason IS NOT NULL AND d.reason <> :quiet
       AND names.channel = CASE d.channel WHEN 'email' THEN 'email' ELSE 'registered' END
     GROUP BY names.channel ORDER BY names.channel
    """
)


@dataclass(frozen=True)
class DeliveryMetrics:
    """Metrics of deliveries.

    `overdue`: for how many seconds the oldest due delivery has waited. `counts`: deliveries by (state, kind); of
    pending ones those of the next hour, of ended ones those of the last. `put_off`: how many wait for their provider,
    by channel. `troubles`: for how many seconds one of our providers has been refusing messages.
    """

    overdue: float
    counts: dict[tuple[str, str], int]
    put_off: dict[str, int]
    troubles: dict[str, float]


def delivery_metrics(session: Session) -> DeliveryMetrics:
    """The current metrics."""
    counts = {(state, kind): count for state, kind, count in session.execute(_COUNTS)}
    put_off = {row.channel: row.waiting for row in session.execute(_PUT_OFF, {"quiet": QUIET_HOURS})}
    return DeliveryMetrics(session.scalars(_OVERDUE).one(), counts, put_off, trouble_seconds(session))
