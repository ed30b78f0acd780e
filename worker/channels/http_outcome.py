"""What an HTTP response says about the next attempt. Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

# 4xx statuses about a temporary state, not about the request.
MOMENTARY = frozenset({408, 425, 429})
# The receiver wants no more messages (RFC 9110 §15.5.11).
GONE = 410
_LONGEST_WAIT = 3600.0


@dataclass(frozen=True)
class HttpOutcome:
    """The parts of a response that are used."""

    status: int
    retry_after: str | None = None

    @property
    def is_good(self) -> bool:
        """Whether the message was accepted."""
        return 200 <= self.status <= 299

    def wait(self, now: datetime) -> float | None:
        """Seconds from `Retry-After` (RFC 9110 §10.2.3), at most an hour; None when missing or malformed."""
        header = self.retry_after
        if header is None:
            return None
        try:
            if header.isascii() and header.isdigit():
                seconds = float(header)
            else:
                until = parsedate_to_datetime(header)
                seconds = (until.replace(tzinfo=until.tzinfo or UTC) - now).total_seconds()
        except (ValueError, OverflowError):
            return None
        return min(max(seconds, 0.0), _LONGEST_WAIT)
