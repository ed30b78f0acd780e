"""Recipients that a mail server reports as unknown: their fault only while the server accepts others.

A misconfigured relay refuses everybody with the code for an unknown recipient (550 5.1.1). So a refused delivery is
held back until the next recipient that the server accepts. If several others in a row are refused instead, the fault is
ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from worker.reminders.delivery.claimed import ClaimedDelivery

# Consecutive different refused recipients, with none accepted between them, from which on the server is at fault.
MOST_UNKNOWN = 3
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
        """Equal for two deliveries to one person by one channel."""
        return self.delivery.user_id, self.delivery.channel


@dataclass
class _Row:
    unknown: dict[tuple[int, str], HeldBackDelivery] = field(default_factory=dict)
    refuses_everybody: bool = False


class UnknownRecipients:
    """The refusals since each server last accepted a recipient. For several threads, one for each server."""

    def __init__(self) -> None:
        self._rows: dict[str, _Row] = {}

    def refused(self, provider: str, unknown: HeldBackDelivery) -> bool:
        """The server reports a recipient as unknown. True: it refuses everybody, so the recipients are not at fault."""
        row = self._rows.setdefault(provider, _Row())
        row.unknown = {
            recipient: delivery for recipient, delivery in row.unknown.items() if unknown.at - delivery.at <= REMEMBERED
        } | {unknown.recipient: unknown}
        row.refuses_everybody = row.refuses_everybody or len(row.unknown) >= MOST_UNKNOWN
        return row.refuses_everybody

    def taken(self, provider: str, now: float) -> Sequence[HeldBackDelivery]:
        """The server has accepted a recipient: those it reported as unknown until now really do not exist."""
        row = self._rows.pop(provider, _Row())
        if row.refuses_everybody:
            return ()
        return [delivery for delivery in row.unknown.values() if now - delivery.at <= REMEMBERED]
