"""The SMTP side (RFC 5321): takes every message for everybody, and keeps it."""

import asyncio
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from devstack.errors import PackageMissing
from devstack.mailbox.messages import envelope
from devstack.mailbox.store import Letters

if TYPE_CHECKING:
    from aiosmtpd.smtp import SMTP, Envelope, Session

# Said in the answer to EHLO (RFC 1870); one that is larger is refused with 552.
LARGEST_LETTER = 5_000_000
_IDLE_SECONDS = 60


class MailReceiver:
    """What happens to a message that has come."""

    def __init__(self, letters: Letters) -> None:
        self._letters = letters

    async def handle_DATA(self, _server: "SMTP", _session: "Session", said: "Envelope") -> str:  # noqa: N802 - aiosmtpd's name
        """Keep it; the sender is told its number."""
        content = said.content if isinstance(said.content, bytes) else b""
        head = envelope(said.mail_from or "", list(said.rcpt_tos), datetime.now(UTC))
        letter_id = await asyncio.to_thread(self._letters.add, head + content)
        return f"250 OK kept as {letter_id}"


def protocol(letters: Letters) -> "SMTP":
    """The server's side of one connection; to be made in the loop that it runs in."""
    return require_smtp()(
        MailReceiver(letters),
        loop=asyncio.get_running_loop(),
        data_size_limit=LARGEST_LETTER,
        enable_SMTPUTF8=True,
        # Otherwise it asks the resolver for this machine's name at each connection.
        hostname="mailbox",
        ident="Astegni mailbox",
        timeout=_IDLE_SECONDS,
    )


def require_smtp() -> "type[SMTP]":
    """The protocol of the package aiosmtpd. Raises PackageMissing where it is left out."""
    try:
        from aiosmtpd.smtp import SMTP  # noqa: PLC0415 - an embedded part: a production image has none
    except ModuleNotFoundError as error:
        raise PackageMissing(
            "The package aiosmtpd is not installed. Install astegni-devstack[mailbox], or name a mail server."
        ) from error
    return SMTP
