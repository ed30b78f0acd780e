"""A message sent only to see whether a channel works: through the same door as all others."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import User
from models.reminders import Delivery
from models.states import DELIVERY_STATES
from worker.errors import NotFound
from worker.reminders.preferences import check_channels

KIND = "test"
_OVER = frozenset(DELIVERY_STATES) - {"pending", "sending"}


@dataclass(frozen=True)
class Outcome:
    """How a delivery stands; `reason`: why it was not sent yet, or will not be."""

    state: str
    reason: str | None
    attempts: int

    @property
    def is_over(self) -> bool:
        """Whether nothing will change any more."""
        return self.state in _OVER


def order_test(session: Session, user_id: int, channel: str, *, now: datetime, good_for: timedelta) -> int:
    """Order a test message, not worth sending after `good_for`; the id of the delivery.

    Raises NotFound for the person, InvalidInput for a channel that is not theirs or not confirmed.
    """
    person = session.get(User, user_id)
    if person is None or not person.is_active:
        raise NotFound(f"There is no active user {user_id}.")
    check_channels(session, user_id, [channel], field="channel")
    delivery = Delivery(
        kind=KIND,
        user_id=user_id,
        channel=channel,
        key=f"{KIND}:{secrets.token_hex(16)}",
        due_at=now,
        expires_at=now + good_for,
    )
    session.add(delivery)
    session.flush()
    return delivery.id


def outcome_of(session: Session, delivery_id: int) -> Outcome:
    """How it stands now. Raises NotFound."""
    columns = (Delivery.state, Delivery.reason, Delivery.attempts)
    row = session.execute(select(*columns).where(Delivery.id == delivery_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return Outcome(row.state, row.reason, row.attempts)
