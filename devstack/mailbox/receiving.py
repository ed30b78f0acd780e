"""The SMTP side (RFC 5321): accepts every message for every recipient, and stores it."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devstack.errors import PackageMissing
from devstack.mailbox.messages import envelope_lines
from devstack.mailbox.store import MessageStore

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

# In bytes, announced in the reply to EHLO (RFC 1870); a larger message is rejected with 552.
MAX_MESSAGE_SIZE = 5_000_000
_IDLE_SECONDS = 60


class MailReceiver:
    """The handler that aiosmtpd calls with each message."""

    def __init__(self, store: MessageStore) -> None:
        self._store = store

    async def handle_DATA(self, _server: "SMTP", _session: "Session", envelope: "Envelope") -> str:  # noqa: N802 - aiosmtpd's name
        """Store the message; the reply names its id."""
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        head = envelope_lines(envelope.mail_from or "", list(envelope.rcpt_tos), datetime.now(UTC))
        id_ = await asyncio.to_thread(self._store.add, head + content)
        return f"250 OK stored as {id_}"


def protocol(store: MessageStore) -> "SMTP":
    """The server's side of one connection; must be called in the event loop that it runs in."""
    return require_smtp()(
        MailReceiver(store),
        loop=asyncio.get_running_loop(),
        data_size_limit=MAX_MESSAGE_SIZE,
        enable_SMTPUTF8=True,
        # Otherwise aiosmtpd resolves this machine's name at each connection.
        hostname="mailbox",
        ident="devstack mailbox",
        timeout=_IDLE_SECONDS,
    )


def require_smtp() -> "type[SMTP]":
    """The protocol class of the package aiosmtpd. Raises PackageMissing when it is not installed."""
    try:
        from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - only the mailbox needs it
    except ModuleNotFoundError:
        raise PackageMissing("aiosmtpd", "mailbox") from None
    return SMTP
