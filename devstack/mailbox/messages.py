"""Parse a message from its bytes (RFC 5322, MIME), however malformed they are."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import HeaderParseError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import format_datetime, parsedate_to_datetime
from itertools import takewhile
from typing import Any

UNREADABLE = "(a message that cannot be read)"

# Each stored message starts with lines for the sender and the recipients of its envelope. The last of them is Received
# (RFC 5321 §4.4), so that the message's own header lines are not mistaken for them.
_SENDER, _RECIPIENT, _LAST = "Return-Path", "Delivered-To", "Received"


@dataclass(frozen=True)
class MailAttachment:
    """A part of a message that is not its text."""

    name: str
    mime: str
    content: bytes


@dataclass(frozen=True)
class MailMessage:
    """A message as a mail client shows it. `recipients` are the envelope's addresses; `sender` is the header From."""

    sender: str
    recipients: list[str]
    subject: str
    date: datetime | None
    message_id: str
    text: str
    html: str
    attachments: list[MailAttachment]

    def document(self, id_: int, received_at: datetime) -> dict[str, Any]:
        """As JSON; `date` is the header Date, or else the time of arrival."""
        return {
            "id": id_,
            "from": self.sender,
            "to": self.recipients,
            "subject": self.subject,
            "date": (self.date or received_at).isoformat(),
            "received_at": received_at.isoformat(),
            "message_id": self.message_id,
            "text": self.text,
            "html": self.html,
            "attachments": [
                {
                    "name": attachment.name,
                    "mime": attachment.mime,
                    "bytes": len(attachment.content),
                    "url": f"/messages/{id_}/attachments/{number}",
                }
                for number, attachment in enumerate(self.attachments)
            ],
        }


def envelope_lines(sender: str, recipients: list[str], received_at: datetime) -> bytes:
    """The lines that are stored in front of a message."""
    lines = [f"{_SENDER}: <{sender}>", *(f"{_RECIPIENT}: {recipient}" for recipient in recipients)]
    lines.append(f"{_LAST}: by mailbox; {format_datetime(received_at)}")
    return "".join(f"{line}\r\n" for line in lines).encode("utf-8", "surrogateescape")


def read_message(content: bytes) -> MailMessage:
    """The message in `content`, which begins with its `envelope_lines`."""
    try:
        return _read(message_from_bytes(content))
    except (RecursionError, TypeError):
        # Parts nested without end, or contradictory continued parameters (RFC 2231 §3): the library fails on them.
        return MailMessage("", [], UNREADABLE, None, "", "", "", [])


def _read(message: Message) -> MailMessage:
    envelope = takewhile(lambda header: header[0] != _LAST, message.items())
    texts: dict[str, str] = {}
    attachments: list[MailAttachment] = []
    for part in _leaves(message):
        kind = part.get_content_type()
        if kind in {"text/plain", "text/html"} and kind not in texts and part.get_content_disposition() is None:
            texts[kind] = _text(part)
        else:
            attachments.append(
                MailAttachment(_plain(part.get_filename() or part.get_content_subtype()), kind, _bytes(part))
            )
    return MailMessage(
        sender=_header(message, "From"),
        recipients=[_plain(str(value)) for name, value in envelope if name == _RECIPIENT],
        subject=_header(message, "Subject"),
        date=_date(message),
        message_id=_header(message, "Message-ID"),
        text=texts.get("text/plain", ""),
        html=texts.get("text/html", ""),
        attachments=attachments,
    )


def _leaves(message: Message) -> Iterator[Message]:
    return (part for part in message.walk() if not part.is_multipart())


def _bytes(part: Message) -> bytes:
    content = part.get_payload(decode=True)
    return content if isinstance(content, bytes) else b""


def _text(part: Message) -> str:
    # SMTP ends lines with CRLF (RFC 5321 §2.3.8).
    content = _bytes(part).replace(b"\r\n", b"\n")
    try:
        text = content.decode(part.get_content_charset("utf-8"), "replace")
    except (LookupError, ValueError):  # an unknown charset, or not a valid name of one
        text = content.decode("utf-8", "replace")
    return _whole(text)


def _header(message: Message, name: str) -> str:
    value = message.get(name, "")
    try:
        return _plain(str(make_header(decode_header(value))))
    except (HeaderParseError, LookupError, ValueError):
        return _plain(str(value))


def _date(message: Message) -> datetime | None:
    try:
        date = parsedate_to_datetime(_header(message, "Date"))
        # "-0000" gives a date without a zone (RFC 5322 §3.3).
        return date.astimezone(UTC) if date.tzinfo else date.replace(tzinfo=UTC)
    except (ValueError, OverflowError, IndexError):
        return None


def _plain(text: str) -> str:
    """The text on one line, as a folded header is a single line (RFC 5322 §2.2.3)."""
    return " ".join(_whole(text).split())


def _whole(text: str) -> str:
    """The text without lone surrogates, which no response can encode."""
    return text.encode("utf-8", "replace").decode()
