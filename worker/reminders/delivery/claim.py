"""Ownership of a delivery: claimed by a dispatcher, taken over by a sender, released. All times are the database's.

A claim carries a token that the sender replaces with its own when it begins: the same batch delivered twice finds
nothing the second time, and a sender that lost its lease can no longer write.
"""

from collections.abc import Collection, Sequence
from functools import cache
from uuid import UUID

from sqlalchemy import TextClause, text

from worker.database import Executor

# A registered channel belongs to the lane of its kind; one that was removed goes to in-app messages, since it costs no
# more than a look-up.
_LANE = """
    CASE WHEN d.channel IN ('in_app', 'email') THEN d.channel
         ELSE coalesce((SELECT n.kind FROM notification_channels n
                         WHERE n.id = CASE WHEN d.channel ~ '^[0-9]{1,9}$' THEN d.channel::integer END), 'in_app')
    END
"""

# MATERIALIZED: otherwise the planner may run the LIMIT subquery more than once.
_CLAIM = """
    WITH due AS MATERIALIZED (
        SELECT d.id, d.due_at FROM deliveries d
         WHERE {which} AND d.due_at <= now() - make_interval(secs => :overdue) AND {lane} = :lane
         ORDER BY {order} LIMIT {most} FOR UPDATE SKIP LOCKED
    )
    UPDATE deliveries d
       SET state = 'sending', send_token = :token, lease_until = now() + make_interval(secs => :lease),
           updated_at = now()
      FROM due WHERE d.id = due.id
    RETURNING d.id, due.due_at
"""
_FRESH = {"which": "d.state = 'pending'", "order": "d.due_at, d.id"}
# Deliveries lost repeatedly come after those lost once.
_LOST = {"which": "d.state = 'sending' AND d.lease_until < now()", "order": "d.lease_until, d.id"}
_RELEASE = text(
    """
    UPDATE deliveries SET state = 'pending', send_token = NULL, lease_until = NULL, updated_at = now(),
           attempts = greatest(attempts - :charged, 0)
     WHERE id = ANY(:ids) AND send_token = :token AND state = 'sending'
    """
)
_RENEW = text(
    """
    UPDATE deliveries SET lease_until = now() + make_interval(secs => :lease), updated_at = now()
     WHERE id = ANY(:ids) AND send_token = :token AND state = 'sending' RETURNING id
    """
)
_UNDER_WAY = text("SELECT id FROM deliveries WHERE id = ANY(:ids) AND state = 'sending'")
# Pending and claimed deliveries have an index each.
_NEXT = text(
    """
    SELECT extract(epoch FROM min(due_at) - now())::float
      FROM ((SELECT due_at FROM deliveries WHERE state = 'pending' ORDER BY due_at LIMIT 1)
             UNION ALL
            (SELECT min(due_at) FROM deliveries WHERE state = 'sending' AND lease_until < now())) AS free
    """
)


def claim(
    executor: Executor, lane: str, *, lost: bool, token: UUID, most: int, lease: float, overdue: float = 0.0
) -> list[int]:
    """Claim up to `most` deliveries of a lane that have been due for `overdue` seconds, oldest first; return their ids.

    `lost`: those whose previous claim expired without an outcome; otherwise those never claimed.
    """
    values = {"lane": lane, "token": token, "lease": lease, "overdue": overdue}
    rows = executor.execute(_claim(lost, most), values).fetchall()
    return [row.id for row in sorted(rows, key=lambda row: (row.due_at, row.id))]


@cache
def _claim(lost: bool, most: int) -> TextClause:
    """The statement. `most` is a literal: for a parameter, the server would plan each execution again."""
    return text(_CLAIM.format(**(_LOST if lost else _FRESH), lane=_LANE, most=most))


def release(executor: Executor, ids: Sequence[int], token: UUID, *, charged: bool) -> None:
    """Release these deliveries unchanged; `charged`: takes back an attempt that was counted but did not take place."""
    executor.execute(_RELEASE, {"ids": list(ids), "token": token, "charged": int(charged)})


def renew(executor: Executor, ids: Sequence[int], token: UUID, *, lease: float) -> set[int]:
    """Renew the lease of these deliveries; returns the ids of those that are still claimed."""
    return {row.id for row in executor.execute(_RENEW, {"ids": list(ids), "token": token, "lease": lease}).fetchall()}


def under_way(executor: Executor, ids: Collection[int]) -> set[int]:
    """Those of `ids` that are still claimed."""
    return {row.id for row in executor.execute(_UNDER_WAY, {"ids": list(ids)}).fetchall()}


def seconds_until_due(executor: Executor) -> float | None:
    """Seconds until the next unclaimed delivery is due; 0 or less if one is due already, None if there is none."""
    row = executor.execute(_NEXT, {}).fetchone()
    return None if row is None or row[0] is None else float(row[0])
