"""The interface through which messages leave; transports.py implements it."""

import hashlib
from dataclasses import dataclass
from typing import Any, Protocol

from worker.reminders.delivery.claimed import ClaimedDelivery

# The length of a message's id in hexadecimal characters: 128 bits.
_ID_LENGTH = 32


@dataclass(frozen=True)
class RenderedMessage:
    """A rendered message: `summary` for the app and short messages; `lesson_file` is an .ics; `data` for programs."""

    subject: str
    summary: str
    text: str
    html: str
    lesson_file: bytes | None
    data: dict[str, Any]


class Transport(Protocol):
    """E-mail, webhooks and apprise. Called by several threads, but by only one for each provider."""

    def provider(self, delivery: ClaimedDelivery) -> str:
        """The provider that is called, e.g. `email:smtp.example.org`: deliveries that would fail together share one."""

    def readable(self, delivery: ClaimedDelivery) -> ClaimedDelivery:
        """The delivery with the encrypted parts of its data decrypted. Raises TemporaryFailure."""

    def send(self, delivery: ClaimedDelivery, message: RenderedMessage) -> None:
        """Send it. Raises TemporaryFailure, or PermanentFailure when no later attempt can succeed."""

    def leads_to_account(self, delivery: ClaimedDelivery) -> bool:
        """Whether its channel is the mailbox of the account's own address."""

    def disconnect(self) -> None:
        """Release what was kept for the next message, at the end of a batch."""


def message_id(delivery: ClaimedDelivery, *, to_account: bool = False) -> str:
    """A message's id, the same at every attempt, so that receivers can detect duplicates.

    `to_account`: the channel leads to the account's own mailbox, so the id is that of the account's message.
    """
    whole = f"{delivery.key}|{delivery.user_id}|{'email' if to_account else delivery.channel}"
    return hashlib.sha256(whole.encode()).hexdigest()[:_ID_LENGTH]
