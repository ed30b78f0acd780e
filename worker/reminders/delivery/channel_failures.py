"""Count the consecutive failures of a channel: one that has been failing for a day is disabled."""

from sqlalchemy import text
from sqlalchemy.orm import Session

MAX_FAILURES = 5
FAILING_HOURS = 24

# A missing response may be the fault of our own network. It counts only if another webhook or service accepted a
# message within the last day; mail proves nothing, since its server may be in our network.
_COUNT = text(
    """
    UPDATE notification_channels channel
       SET failures = failures + 1, failing_since = coalesce(failing_since, now())
     WHERE id = :id AND disabled_at IS NULL
       AND (NOT :silent OR EXISTS (
            SELECT FROM deliveries sent JOIN notification_channels other ON other.id::text = sent.channel
             WHERE sent.state = 'sent' AND sent.updated_at > now() - interval '1 day'
               AND other.kind <> 'email' AND other.id <> channel.id))
    RETURNING failures >= :most AND failing_since <= now() - make_interval(hours => :hours) AS has_failed
    """
)
_FORGET = text(
    """
    UPDATE notification_channels SET failures = 0, failing_since = NULL
     WHERE id = :id AND failing_since IS NOT NULL
    """
)


def count_failure(session: Session, channel_id: int, *, silent: bool) -> bool:
    """Count one more failure; returns whether to disable the channel now. `silent`: there was no response at all."""
    values = {"id": channel_id, "silent": silent, "most": MAX_FAILURES, "hours": FAILING_HOURS}
    return bool(session.execute(_COUNT, values).scalar())


def forget_failures(session: Session, channel_id: int) -> None:
    """Reset the count, because the channel has accepted a message."""
    session.execute(_FORGET, {"id": channel_id})
