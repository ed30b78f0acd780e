"""Recipients that a mail server reports as unknown: only at fault while the server accepts others.

A misconfigured relay refuses everybody with the code for an unknown recipient (550 5.1.1). So a refused delivery is
held back until the server accepts another recipient. If several others in a row are refused instead, the fault is ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.reminders.delivery.claimed import ClaimedDelivery

# After this many different recipients refused in a row, with none accepted in between, the server is at fault.
MAX_UNKNOWN = 3
# Seconds after which a refusal no longer indicates the server's present state.
REMEMBERED = 3600.0


@dataclass(frozen=True)
class HeldBackDelivery:
    """A delivery whose recipient the server reports as unknown, the server's reason, and when (monotonic seconds)."""

    delivery: ClaimedDelivery
    reason: str
    at: float

    @property
    def recipient(self) -> tuple[int, str]:
        """The person and channel of the delivery: two deliveries with the same one count once."""
        return self.delivery.user_id, self.delivery.channel


@dataclass
class _Row:
    unknown: dict[tuple[int, str], HeldBackDelivery] = field(default_factory=dict)
    refuses_everybody: bool = False


class UnknownRecipients:
    """The refusals since each server last accepted a recipient. Thread-safe if each server has only one thread."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def record_refusal(self, provider: str, unknown: HeldBackDelivery) -> bool:
        """Record that the server reports a recipient as unknown. Returns whether it refuses everybody.

        If so, the recipients are not at fault.
        """
        row = self._rows.setdefault(provider, _Row())
        row.unknown = {
            recipient: delivery for recipient, delivery in row.unknown.items() if unknown.at - delivery.at <= REMEMBERED
        } | {unknown.recipient: unknown}
        row.refuses_everybody = row.refuses_everybody or len(row.unknown) >= MAX_UNKNOWN
        return row.refuses_everybody

    def record_acceptance(self, provider: str, now: float) -> Sequence[HeldBackDelivery]:
        """Record that the server has accepted a recipient; returns those that it really does not know."""
        row = self._rows.pop(provider, _Row())
        if row.refuses_everybody:
            return ()
        return [delivery for delivery in row.unknown.values() if now - delivery.at <= REMEMBERED]
