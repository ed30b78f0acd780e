"""Check what a person registers as a channel: its form, the allow-list, and where a webhook connects to."""

from models.states import ChannelKind
from worker.channels.apprise_services import check_service
from worker.channels.destinations import Destination, Mailbox, MessageService, Webhook, new_webhook_secret
from worker.channels.egress import Deadline, EgressPolicy
from worker.channels.email_address import read_mailbox, trimmed
from worker.channels.errors import PermanentFailure, TemporaryFailure
from worker.channels.webhook_url import WebhookUrl
from worker.errors import InvalidInput


def checked_destination(kind: ChannelKind, address: str, outside: EgressPolicy) -> Destination:
    """The destination for `address`; a webhook gets a new secret. Raises InvalidInput.

    Resolves a webhook's host, so no transaction may be open.
    """
    match kind:
        case "email":
            return Mailbox(read_mailbox(trimmed(address)))
        case "webhook":
            _check_webhook(address, outside)
            return Webhook(address, new_webhook_secret())
        case "apprise":
            check_service(address)
            return MessageService(address)


def _check_webhook(address: str, outside: EgressPolicy) -> None:
    url = WebhookUrl.read(address)
    try:
        outside.find(url, Deadline(outside.total_timeout))
    except (PermanentFailure, TemporaryFailure) as error:
        raise InvalidInput(error.detail) from None
