"""Messages sent only to test a channel, on the same path as all others."""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.deliveries import Delivery
from models.people import User
from models.states import DELIVERY_STATES
from worker.errors import InvalidInput, NotFound
from worker.reminders.channels import list_channels
from worker.reminders.planning.preferences import EMAIL, IN_APP

KIND = "test"
_OVER = frozenset(DELIVERY_STATES) - {"pending", "sending"}


@dataclass(frozen=True)
class Outcome:
    """The state of a delivery; `reason`: why it was not sent yet, or will not be."""

    state: str
    reason: str | None
    attempts: int

    @property
    def is_over(self) -> bool:
        """Whether the outcome is final."""
        return self.state in _OVER


def order_test(session: Session, user_id: int, channel: str, *, now: datetime, good_for: timedelta) -> int:
    """Order a test message that expires after `good_for`; return the id of the delivery.

    Raises NotFound for the person, InvalidInput for a channel that is not theirs or not confirmed.
    """
    person = session.get(User, user_id)
    if person is None or not person.is_active:
        raise NotFound(f"There is no active user {user_id}.")
    _check_channel(session, user_id, channel)
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


def _check_channel(session: Session, user_id: int, name: str) -> None:
    """Raise InvalidInput, naming the person's channels, which an operator does not know."""
    if name in (EMAIL, IN_APP):
        return
    theirs = {str(candidate.id): candidate for candidate in list_channels(session, user_id)}
    channel = theirs.get(name)
    if channel is None:
        known = ", ".join((EMAIL, IN_APP, *(f"{candidate.id} ({candidate.label})" for candidate in theirs.values())))
        raise InvalidInput(f"User {user_id} has no channel {name[:20]!r}; there are {known}.")
    if channel.confirmed_at is None:
        raise InvalidInput(f"Channel {name} ({channel.label}) of user {user_id} is not confirmed yet.")
    if channel.disabled_at is not None:
        raise InvalidInput(f"Channel {name} ({channel.label}) of user {user_id} is off: {channel.disabled_reason}")


def outcome_of(session: Session, delivery_id: int) -> Outcome:
    """The current outcome. Raises NotFound."""
    columns = (Delivery.state, Delivery.reason, Delivery.attempts)
    row = session.execute(select(*columns).where(Delivery.id == delivery_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no delivery {delivery_id}.")
    return Outcome(row.state, row.reason, row.attempts)
