"""A message as a mail: headers, text beside HTML, attachments (RFC 5322, RFC 2045). Pure."""

from datetime import datetime
from email.header import Header
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import format_datetime
from typing import Any

from worker.channels.message import Message, encodable, one_line


class _Policy(EmailPolicy):
    """Python's own, but for how a long subject is folded.

    Python 3.11 to 3.13 encode word by word and leave the spaces between two encoded words outside of them, where a
    reader must drop them (RFC 2047 §6.2): Amharic ran together. `Header` puts them inside.
    """

    def fold(self, name: str, value: Any) -> str:
        if name != "Subject":
            return str(super().fold(name, value))
        charset = "us-ascii" if str(value).isascii() else "utf-8"
        return f"{name}: {Header(str(value), charset, header_name=name).encode(linesep=self.linesep)}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii") if name == "Subject" else super().fold_binary(name, value)


# Seven bits everywhere: no mail server on the way has to be able to do more.
_POLICY = _Policy(linesep="\r\n", cte_type="7bit")


def compose(
    message: Message, *, sender: Address, to: str, now: datetime, unsubscribe: str | None = None
) -> EmailMessage:
    """The mail to the checked address `to`.

    The Message-ID comes from the message's id, so a mailbox that gets it twice can know. `unsubscribe` is an address
    (https or mailto) where people say what they want to be told.
    """
    mail = EmailMessage(policy=_POLICY)
    mail["From"] = sender
    mail["To"] = Address(addr_spec=to)
    mail["Subject"] = one_line(message.subject)
    mail["Date"] = format_datetime(now)
    mail["Message-ID"] = f"<{message.id}@{sender.domain}>"
    # No answers of machines to a machine (RFC 3834 §5).
    mail["Auto-Submitted"] = "auto-generated"
    if unsubscribe:
        mail["List-Unsubscribe"] = f"<{one_line(unsubscribe)}>"
    mail.set_content(encodable(message.text))
    if message.html is not None:
        mail.add_alternative(encodable(message.html), subtype="html")
    for attachment in message.attachments:
        main, _, sub = attachment.media_type.partition("/")
        params = {"charset": "utf-8"} if main == "text" else None
        mail.add_attachment(
            attachment.content, maintype=main, subtype=sub, filename=one_line(attachment.name), params=params
        )
    return mail
