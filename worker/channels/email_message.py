"""A message as a mail: headers, text beside HTML, attachments (RFC 5322, RFC 2045). Pure."""

from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from worker.channels.message import Message, encodable, one_line

# Seven bits everywhere: no mail server on the way has to be able to do more.
_POLICY = SMTP.clone(cte_type="7bit")


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
