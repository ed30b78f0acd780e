"""Mail by SMTP, one connection for a batch. `smtp_replies` classifies what the server replies."""

import re
import smtplib
import ssl
from types import TracebackType
from typing import Self

from worker import clock
from worker.channels.email_message import compose
from worker.channels.errors import OurFault, PermanentFailure, TemporaryFailure, Unconfirmed, UnknownRecipient
from worker.channels.mail_server import MailServer
from worker.channels.message import Message
from worker.channels.smtp_replies import MailFault, Stage, enhanced_code, read_fault

# The server closes the connection, usually one that was idle too long: reconnect.
_CLOSING = 421
# The reply to DATA that asks for the content.
_GO_ON = 354
# Doubled in the content, since a line of one dot ends it (RFC 5321 §4.5.2).
_LEADING_DOT = re.compile(rb"^\.", re.MULTILINE)


class Mailer:
    """Sends mails over one connection, which the first one opens. Not thread-safe."""

    def __init__(self, server: MailServer) -> None:
        self._server = server
        self._smtp: smtplib.SMTP | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _at: TracebackType | None
    ) -> None:
        smtp, self._smtp = self._smtp, None
        if smtp is not None:
            try:
                smtp.quit()
            except OSError:
                smtp.close()

    def connect(self) -> None:
        """Open the connection and log in, without sending anything. Raises OurFault."""
        try:
            self._smtp = _connect(self._server)
        except OSError as error:
            raise OurFault(_said(error)) from None

    def send(self, to: str, message: Message) -> None:
        """Hand one message to the mail server.

        Raises OurFault, Unconfirmed, TemporaryFailure when the recipient cannot be reached now, PermanentFailure when
        the recipient or the message is refused for good.
        """
        server = self._server
        content = compose(message, sender=server.sender, to=to, now=clock.now(), unsubscribe=server.unsubscribe)
        try:
            smtp = self._begin()
            _check("rcpt", *smtp.rcpt(to))
            _check("data", *_put(smtp, bytes(content), server.content_timeout))
        except (PermanentFailure, TemporaryFailure):
            self._reset()
            raise
        except OSError as error:
            self._drop()
            raise OurFault(_said(error)) from None

    def _begin(self) -> smtplib.SMTP:
        """Return a connection on which the server has accepted MAIL; reconnects when it refuses on the open one."""
        sender = self._server.sender.addr_spec
        if self._smtp is not None:
            try:
                code, _ = self._smtp.mail(sender)
            except OSError:
                code = _CLOSING
            if code == 250:
                return self._smtp
            self._drop()
        self._smtp = _connect(self._server)
        _check("mail", *self._smtp.mail(sender))
        return self._smtp

    def _reset(self) -> None:
        """Reset the connection for the next mail, or drop it when the server refuses."""
        try:
            if self._smtp is not None and self._smtp.rset()[0] != 250:
                self._drop()
        except OSError:
            self._drop()

    def _drop(self) -> None:
        if self._smtp is not None:
            self._smtp.close()
        self._smtp = None


def _connect(server: MailServer) -> smtplib.SMTP:
    # Without it smtplib looks up our own name by DNS, which may take long.
    ours = server.sender.domain
    if server.tls:
        smtp: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, ours, timeout=server.timeout, context=server.context
        )
    else:
        smtp = smtplib.SMTP(server.host, server.port, ours, timeout=server.timeout)
    try:
        _introduce(smtp, server)
    except BaseException:
        # Also when a time limit interrupts it: nothing else refers to the connection.
        smtp.close()
        raise
    return smtp


def _introduce(smtp: smtplib.SMTP, server: MailServer) -> None:
    smtp.ehlo_or_helo_if_needed()
    if not server.tls and smtp.has_extn("starttls"):
        smtp.starttls(context=server.context)
        smtp.ehlo()
    elif not server.tls and server.password is not None:
        raise OurFault("The mail server offers no STARTTLS, and the password is not sent in the clear.")
    if server.user is not None and server.password is not None:
        smtp.login(server.user, server.password)


def _put(smtp: smtplib.SMTP, content: bytes, seconds: float) -> tuple[int, bytes]:
    """The reply to DATA or to the content, for which the server has `seconds`. Raises Unconfirmed."""
    code, reply = smtp.docmd("DATA")
    if code != _GO_ON or smtp.sock is None:
        return code, reply
    smtp.send(_LEADING_DOT.sub(b"..", content.removesuffix(b"\r\n")) + b"\r\n.\r\n")
    usual = smtp.sock.gettimeout()
    smtp.sock.settimeout(seconds)
    try:
        code, reply = smtp.getreply()
    except OSError:
        raise Unconfirmed("The mail server did not confirm the message; it may have accepted it.") from None
    smtp.sock.settimeout(usual)
    return code, reply


def _check(stage: Stage, code: int, reply: bytes) -> None:
    """Raise the error that a refusal means. The reply's text is never repeated, because it contains the address."""
    if 200 <= code <= 299:
        return
    text = reply.decode("utf-8", "replace")
    enhanced = enhanced_code(text)
    shown = f"{code} {'.'.join(map(str, enhanced))}" if enhanced else str(code)
    match read_fault(stage, code, text):
        case MailFault.RECIPIENT_GONE:
            raise UnknownRecipient(f"The mail server knows no such recipient: {shown}.")
        case MailFault.RECIPIENT_LATER:
            raise TemporaryFailure(f"The mail server does not take mail for the recipient now: {shown}.", alone=True)
        case MailFault.MESSAGE:
            raise PermanentFailure(f"The mail server refuses this message: {shown}.", address_is_bad=False)
        case MailFault.OURS:
            raise OurFault(f"The mail server takes no mail from us now: {shown}.")


def _said(error: OSError) -> str:
    """Describe the error by the reply's code, never by its text."""
    if isinstance(error, smtplib.SMTPAuthenticationError):
        return f"The mail server refuses our login: {error.smtp_code}."
    if isinstance(error, smtplib.SMTPResponseException):
        return f"The mail server is not ready: {error.smtp_code}."
    if isinstance(error, ssl.SSLError):
        return "The mail server cannot be trusted: TLS failed."
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "The mail server does not take a login."
    return f"The mail server does not answer: {type(error).__name__}."
