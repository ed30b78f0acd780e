"""Providers of ours that refuse our messages: rows that alert operators until messages are accepted again."""

from sqlalchemy import text
from sqlalchemy.orm import Session

# A paused provider is called again within six minutes. Older rows were left by a process that ended, or nothing was
# left to send.
_FRESH = "interval '15 minutes'"
_LONGEST_NAME = 300
_LONGEST_REASON = 200

_NOTE = text(
    f"""
    INSERT INTO provider_troubles AS trouble (provider, since, last_at, reason)
    VALUES (:provider, now(), now(), :reason)
        ON CONFLICT (provider) DO UPDATE SET last_at = now(), reason = EXCLUDED.reason,
           since = CASE WHEN trouble.last_at > now() - {_FRESH} THEN trouble.since ELSE now() END
    """  # noqa: S608 - a constant of ours
)
CLEAR = "DELETE FROM provider_troubles WHERE provider = :provider"
_CLEAR = text(CLEAR)
# The mail server's name is private, and metrics are public.
_SECONDS = text(
    f"""
    SELECT CASE WHEN provider LIKE 'email:%' THEN 'email' ELSE provider END AS provider,
           max(extract(epoch FROM now() - since))::float AS seconds
      FROM provider_troubles WHERE last_at > now() - {_FRESH} GROUP BY 1
    """  # noqa: S608 - a constant of ours
)


def provider_key(provider: str) -> str:
    """The provider's name as it is stored."""
    return provider[:_LONGEST_NAME]


def note_trouble(session: Session, provider: str, reason: str) -> None:
    """Record that the provider has just refused us, or did not respond."""
    session.execute(_NOTE, {"provider": provider_key(provider), "reason": reason[:_LONGEST_REASON]})


def clear_trouble(session: Session, provider: str) -> None:
    """Record that the provider works again."""
    session.execute(_CLEAR, {"provider": provider_key(provider)})


def trouble_seconds(session: Session) -> dict[str, float]:
    """For how many seconds each has been refusing us: `email`, or a service such as `apprise:tgram`."""
    return {row.provider: row.seconds for row in session.execute(_SECONDS)}
