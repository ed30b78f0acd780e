"""What a person may register as a channel of theirs: the form, the allow-list, and where a webhook leads."""

from worker.channels.apprise_services import check_service
from worker.channels.destinations import Destination, Mailbox, Service, Webhook, new_webhook_secret
from worker.channels.errors import Refused, TryLater
from worker.channels.mailboxes import read_mailbox, trimmed
from worker.channels.outside import Deadline, Outside
from worker.channels.webhook_url import WebhookUrl
from worker.errors import InvalidInput


def checked_destination(kind: str, address: str, outside: Outside) -> Destination:
    """Where `address` leads, a webhook with a new secret. Raises InvalidInput.

    It asks the resolver about a webhook's host, so no transaction may be open.
    """
    if kind == "email":
        return Mailbox(read_mailbox(trimmed(address)))
    if kind == "apprise":
        check_service(address)
        return Service(address)
    url = WebhookUrl.read(address)
    try:
        outside.find(url, Deadline(outside.total_timeout))
    except (Refused, TryLater) as error:
        raise InvalidInput(error.detail) from None
    return Webhook(address, new_webhook_secret())
