"""Write the outcome of a delivery under its token: a sender that lost it writes nothing."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import text

from worker.database import Executor
from worker.reminders.delivery.provider_troubles import CLEAR, provider_key

# The width of the column.
_LONGEST_REASON = 200

_SENT = text(
    """
    UPDATE deliveries SET state = 'sent', sent_at = now(), reason = NULL, send_token = NULL, lease_until = NULL,
           updated_at = now()
     WHERE id = ANY(:ids) AND send_token = :run AND state = 'sending' RETURNING id
    """
)
# In the same statement, because every mail pays for it.
_SENT_BY = text(f"WITH cleared AS ({CLEAR}) {_SENT.text}")
_END = text(
    """
    UPDATE deliveries SET state = :state, reason = :reason, send_token = NULL, lease_until = NULL, updated_at = now()
     WHERE id = :id AND send_token = :run AND state = 'sending' RETURNING id
    """
)
_PUT_OFF = text(
    """
    UPDATE deliveries
       SET state = 'pending', due_at = :until, reason = :reason, attempts = greatest(attempts - :charged, 0),
           send_token = NULL, lease_until = NULL, updated_at = now()
     WHERE id = :id AND send_token = :run AND state = 'sending' RETURNING id
    """
)


def mark_sent(executor: Executor, ids: Sequence[int], run: UUID, *, provider: str | None = None) -> set[int]:
    """Mark deliveries as sent; `provider` accepted them, so its trouble is over. Returns those `run` still owned."""
    values = {"ids": list(ids), "run": run}
    if provider is None:
        rows = executor.execute(_SENT, values).fetchall()
    else:
        rows = executor.execute(_SENT_BY, {**values, "provider": provider_key(provider)}).fetchall()
    return {row.id for row in rows}


def end(executor: Executor, delivery_id: int, run: UUID, *, state: str, reason: str) -> bool:
    """End a delivery that will not be sent as `dropped`, `cancelled` or `failed`. False: `run` no longer owned it."""
    values = {"id": delivery_id, "run": run, "state": state, "reason": reason[:_LONGEST_REASON]}
    return executor.execute(_END, values).fetchone() is not None


def put_off(executor: Executor, delivery_id: int, run: UUID, *, until: datetime, reason: str, attempted: bool) -> bool:
    """Postpone a delivery to `until`; if not `attempted`, no attempt is charged. False: `run` no longer owned it."""
    values = {"id": delivery_id, "run": run, "until": until, "reason": reason[:_LONGEST_REASON]}
    return executor.execute(_PUT_OFF, {**values, "charged": int(not attempted)}).fetchone() is not None
