"""The possible decisions for a due delivery."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SendNow:
    """Send it now."""


@dataclass(frozen=True)
class Postpone:
    """Check it again at `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Discard:
    """Do not send it; `state` is `dropped` (obsolete) or `cancelled` (its lesson is cancelled or moved).

    `instead_in_app`: the person gets it in the app, unless it is there already.
    """

    state: str
    reason: str
    instead_in_app: bool = False


@dataclass(frozen=True)
class Reject:
    """It cannot be sent by this channel: the person is notified by another."""

    reason: str


DeliveryDecision = SendNow | Postpone | Discard | Reject
