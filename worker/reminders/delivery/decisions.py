"""The possible decisions for a due delivery."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SendNow:
    """It is sent now."""


@dataclass(frozen=True)
class Postpone:
    """It is checked again at `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Discard:
    """It is not sent; `state` is `dropped` (obsolete) or `cancelled` (its lesson is cancelled or moved).

    `instead_in_app`: the person gets it in the app, if it is not there already.
    """

    state: str
    reason: str
    instead_in_app: bool = False


@dataclass(frozen=True)
class Reject:
    """It cannot be sent by this channel: the person is notified by another."""

    reason: str


DeliveryDecision = SendNow | Postpone | Discard | Reject
