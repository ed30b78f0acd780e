"""Codes that confirm a channel: six digits, sent to it, valid for 15 minutes and five attempts."""

import hmac
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Literal

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.deliveries import Delivery
from models.reminders import NotificationChannel
from worker.channels.sealed_addresses import AddressSealer
from worker.errors import AstegniError

KIND = "channel-code"
CODE_MINUTES = 15
MAX_GUESSES = 5
MAX_CODES = 5
CODES_WITHIN = timedelta(hours=1)

Guess = Literal["confirmed", "wrong", "expired"]


class TooManyCodes(AstegniError):
    """The person has reached the maximum number of codes per hour."""

    code: ClassVar[str] = "too-many-requests"
    title: ClassVar[str] = "Too many requests"
    status: ClassVar[int] = 429
    retryable: ClassVar[bool] = True


def order_code(session: Session, vault: AddressSealer, channel: NotificationChannel, *, now: datetime) -> None:
    """Create a new code for the channel and order the delivery that sends it. Raises TooManyCodes.

    The caller has locked the person. No code is stored in plain text: the channel has a hash of it, the delivery has it
    encrypted.
    """
    sent = select(func.count(), func.min(Delivery.created_at)).where(
        Delivery.user_id == channel.user_id, Delivery.kind == KIND, Delivery.created_at > now - CODES_WITHIN
    )
    count, first = session.execute(sent).one()
    if count >= MAX_CODES:
        wait = max(1, round((first + CODES_WITHIN - now).total_seconds()))
        raise TooManyCodes(f"{MAX_CODES} codes were sent within an hour; try again later.", retry_after=wait)
    code = f"{secrets.randbelow(10**6):06}"
    channel.code_hash = _hash(vault, channel, code)
    channel.code_expires_at = now + timedelta(minutes=CODE_MINUTES)
    channel.code_attempts = 0
    sealed = vault.seal(code).decode("ascii")
    session.add(
        Delivery(
            kind=KIND,
            user_id=channel.user_id,
            channel=str(channel.id),
            data={"code": sealed, "minutes": CODE_MINUTES, "label": channel.label},
            key=f"{KIND}:{channel.id}:{secrets.token_hex(8)}",
            due_at=now,
            expires_at=channel.code_expires_at,
            created_at=now,
        )
    )
    session.flush()


def reveal_code(vault: AddressSealer, data: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a delivery of this kind with its code decrypted, for sending. Raises TemporaryFailure."""
    return {**data, "code": vault.open(data["code"].encode("ascii"))}


def confirm(vault: AddressSealer, channel: NotificationChannel, code: str, *, now: datetime) -> Guess:
    """Check one attempt at a locked channel's code; the caller commits in any case, to count wrong attempts too.

    A confirmed, working channel stays confirmed. A disabled one is used again.
    """
    if channel.confirmed_at is not None and channel.disabled_at is None:
        return "confirmed"
    if channel.code_hash is None or channel.code_expires_at is None or channel.code_expires_at <= now:
        return "expired"
    if channel.code_attempts >= MAX_GUESSES:
        return "expired"
    channel.code_attempts += 1
    if not hmac.compare_digest(channel.code_hash, _hash(vault, channel, code)):
        return "wrong"
    channel.confirmed_at = now
    channel.code_hash = channel.code_expires_at = None
    channel.disabled_at = channel.disabled_reason = None
    channel.failures, channel.failing_since = 0, None
    return "confirmed"


def _hash(vault: AddressSealer, channel: NotificationChannel, code: str) -> str:
    return vault.digest(f"{channel.id}:{code}")
