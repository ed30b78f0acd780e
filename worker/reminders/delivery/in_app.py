"""Messages in the app: rows that the person reads, inserted in the transaction that marks the delivery as sent."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.notifications import Notification
from worker.reminders.delivery.claimed import ClaimedDelivery
from worker.reminders.delivery.mark import mark_sent
from worker.reminders.delivery.transport import RenderedMessage
from worker.reminders.inbox import lock_inboxes

# What a message may link to.
_LEADS_TO = ("schedule_id", "entry_id", "request_id", "booking_id", "recording_id", "session_id")
_LONGEST_TITLE = 255


def put_in_app(session: Session, messages: Mapping[int, tuple[ClaimedDelivery, RenderedMessage]], run: UUID) -> int:
    """Show these deliveries (by id) in the app, each once; those that `run` no longer owns are left alone."""
    # Before any row is locked, so that nobody who waits for an inbox holds what its holder needs.
    lock_inboxes(session, [delivery.user_id for delivery, _ in messages.values()])
    held = sorted(mark_sent(session, list(messages), run))
    if held:
        statement = insert(Notification).on_conflict_do_nothing(index_elements=["delivery_id"])
        session.execute(statement, [_row(*messages[delivery_id]) for delivery_id in held])
    return len(held)


def _row(delivery: ClaimedDelivery, message: RenderedMessage) -> dict[str, Any]:
    return {
        "user_id": delivery.user_id,
        "kind": delivery.kind,
        "title": message.subject[:_LONGEST_TITLE],
        "message": message.summary,
        "data": {name: message.data[name] for name in _LEADS_TO if message.data.get(name) is not None},
        "delivery_id": delivery.id,
    }
