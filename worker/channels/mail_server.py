"""The operator's mail server, as the settings name it."""

import ssl
from dataclasses import dataclass, field
from email.headerregistry import Address
from typing import Self

from worker.channels.email_address import read_mailbox, trimmed
from worker.channels.message import one_line
from worker.channels.tls import system_trust
from worker.errors import Misconfigured
from worker.settings import Settings

# The port of implicit TLS (RFC 8314 §3.3).
_TLS_PORT = 465
# Seconds for each reply. A mail server may look a recipient up before it replies.
_TIMEOUT = 15.0
# Seconds for the reply to the content, which many servers scan first. RFC 5321 (§4.5.3.2.6) asks for ten minutes, but
# the lease of a delivery ends earlier, and it would be sent again.
_CONTENT_TIMEOUT = 30.0


@dataclass(frozen=True)
class MailServer:
    """The operator's mail server and the sender of all mail. `tls`: implicit TLS, else STARTTLS where offered."""

    host: str
    port: int
    sender: Address
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    unsubscribe: str | None = None
    timeout: float = _TIMEOUT
    content_timeout: float = _CONTENT_TIMEOUT
    context: ssl.SSLContext = field(default_factory=system_trust)

    @classmethod
    def of(cls, settings: Settings) -> Self:
        """The server that the settings name. Raises Misconfigured."""
        if settings.smtp_host is None:
            raise Misconfigured("SMTP_HOST is not set. Set it, or run `astegni up` for a mailbox.")
        if (settings.smtp_user is None) is not (settings.smtp_password is None):
            raise Misconfigured("SMTP_USER and SMTP_PASSWORD go together: set both or none.")
        password = settings.smtp_password.get_secret_value() if settings.smtp_password else None
        if not f"{settings.smtp_user or ''}{password or ''}".isascii():
            # The standard library's SMTP client cannot send others.
            raise Misconfigured("SMTP_USER and SMTP_PASSWORD have only ASCII characters: choose another password.")
        sender = Address(one_line(settings.from_name), addr_spec=read_mailbox(trimmed(settings.from_email)))
        return cls(
            host=settings.smtp_host,
            port=settings.smtp_port,
            sender=sender,
            user=settings.smtp_user,
            password=password,
            tls=settings.smtp_port == _TLS_PORT,
            unsubscribe=settings.unsubscribe_url,
        )
