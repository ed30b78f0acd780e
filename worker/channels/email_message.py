"""Compose a message as a mail: headers, text and HTML alternatives, attachments (RFC 5322, RFC 2045). Pure."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from worker.channels.headers import FoldedValue, attachment_field, bracketed_field, mailbox_field, text_field
from worker.channels.message import Message, encodable, one_line


class _Policy(EmailPolicy):
    """Python's policy, except that header fields which are already folded stay as they are."""

    def header_store_parse(self, name: str, value: Any) -> tuple[str, Any]:
        return (name, value) if isinstance(value, FoldedValue) else super().header_store_parse(name, value)

    def fold(self, name: str, value: Any) -> str:
        return f"{name}: {value}{self.linesep}" if isinstance(value, FoldedValue) else str(super().fold(name, value))

    def fold_binary(self, name: str, value: Any) -> bytes:
        if isinstance(value, FoldedValue):
            return self.fold(name, value).encode("ascii")
        return super().fold_binary(name, value)


# 7bit everywhere, so that no mail server on the way needs an extension.
_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


def compose(
    message: Message, *, sender: Address, to: str, now: datetime, unsubscribe: str | None = None
) -> EmailMessage:
    """Compose the mail to the checked address `to`.

    The Message-ID is derived from the message's id, so that mailboxes can recognise a duplicate. `unsubscribe` is a
    URL (https, ASCII) where people choose which messages they receive.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = mailbox_field("From", one_line(sender.display_name), sender.addr_spec)
    mail["To"] = mailbox_field("To", "", to)
    mail["Subject"] = text_field("Subject", one_line(message.subject))
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = bracketed_field(f"{message.id}@{sender.domain}")
    # Prevents automatic replies (RFC 3834 §5).
    mail["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        mail["List-Unsubscribe"] = bracketed_field(unsubscribe)
    mail.set_content(encodable(message.text))
    if message.html is not None:
        mail.add_alternative(encodable(message.html), subtype="html")
    for attachment in message.attachments:
        main, _, sub = attachment.media_type.partition("/")
        params = ({"charset": "utf-8"} if main == "text" else {}) | dict(attachment.parameters)
        mail.add_attachment(attachment.content, maintype=main, subtype=sub, params=params)
        *_, part = mail.iter_attachments()
        part.replace_header("Content-Disposition", attachment_field(one_line(attachment.name)))
    return mail
