"""What may become of a delivery that is due."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Send:
    """It goes out now."""


@dataclass(frozen=True)
class Wait:
    """It is looked at again at `until`."""

    until: datetime
    reason: str


@dataclass(frozen=True)
class Drop:
    """It is not sent; `state` is `dropped` (of no use any more) or `cancelled` (its lesson is off or moved).

    `instead_in_app`: the person finds it in the app, if it is not there already.
    """

    state: str
    reason: str
    instead_in_app: bool = False


@dataclass(frozen=True)
class Fail:
    """It cannot be sent by this channel: the person is told by another way."""

    reason: str


Verdict = Send | Wait | Drop | Fail
