"""The real transports: the operator's mail server, webhooks and apprise services, through `worker.channels`."""

from dataclasses import replace
from functools import cached_property

from worker.channels.apprise_services import send_apprise
from worker.channels.destinations import Destination, Mailbox, MessageService, Webhook, from_text
from worker.channels.egress import EgressPolicy
from worker.channels.email import Mailer
from worker.channels.email_address import is_same_mailbox, read_mailbox, trimmed
from worker.channels.errors import OurFault, PermanentFailure
from worker.channels.mail_server import MailServer
from worker.channels.message import Attachment, Message
from worker.channels.sealed_addresses import AddressSealer
from worker.channels.webhook import send_webhook
from worker.channels.webhook_url import WebhookUrl
from worker.errors import InvalidInput, Misconfigured
from worker.reminders import channel_codes
from worker.reminders.delivery.claimed import ClaimedDelivery
from worker.reminders.delivery.transport import RenderedMessage, message_id
from worker.reminders.texts.attachments import METHODS
from worker.settings import Settings


class Transports:
    """Sends with the settings of this process. The connection to the mail server stays open until `rest`."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mailer: Mailer | None = None

    def provider(self, delivery: ClaimedDelivery) -> str:
        """One for all mail; for a webhook its host, for an apprise address its service."""
        match self._destination(delivery):
            case Mailbox():
                return f"email:{self._settings.smtp_host}"
            case Webhook(url=url):
                return f"webhook:{_host(url)}"
            case MessageService(url=url):
                return f"apprise:{url.partition('://')[0]}"

    def readable(self, delivery: ClaimedDelivery) -> ClaimedDelivery:
        """Decrypt the code in a delivery's data, which only its own channel may show. Raises TemporaryFailure."""
        if delivery.kind != channel_codes.KIND:
            return delivery
        return replace(delivery, data=channel_codes.reveal_code(self._vault, delivery.data))

    def send(self, delivery: ClaimedDelivery, message: RenderedMessage) -> None:
        """Send it. Raises TemporaryFailure, PermanentFailure."""
        match self._destination(delivery):
            case Mailbox(address=address):
                self._post(address, _message(delivery, message, to_account=self.leads_to_account(delivery)))
            case Webhook() as webhook:
                send_webhook(webhook, _message(delivery, message), self._outside)
            case MessageService() as service:
                send_apprise(service, _message(delivery, message))

    def leads_to_account(self, delivery: ClaimedDelivery) -> bool:
        """Whether its channel is the mailbox of the account's own address."""
        try:
            destination, account = self._destination(delivery), _account_of(delivery)
        except (OurFault, PermanentFailure):
            return False
        return isinstance(destination, Mailbox) and is_same_mailbox(destination.address, account.address)

    def disconnect(self) -> None:
        """Close the mail connection at the end of a batch; the next one may come much later."""
        mailer, self._mailer = self._mailer, None
        if mailer is not None:
            mailer.__exit__(None, None, None)

    def _post(self, address: str, message: Message) -> None:
        try:
            if self._mailer is None:
                self._mailer = Mailer(MailServer.of(self._settings))
        except (Misconfigured, InvalidInput) as error:
            # The operator is at fault and not the address.
            raise OurFault(error.detail) from None
        self._mailer.send(address, message)

    def _destination(self, delivery: ClaimedDelivery) -> Destination:
        if delivery.address is not None:
            return from_text(self._vault.open(delivery.address))
        return _account_of(delivery)

    @cached_property
    def _vault(self) -> AddressSealer:
        return AddressSealer.of(self._settings)

    @cached_property
    def _outside(self) -> EgressPolicy:
        return EgressPolicy.of(self._settings)


def _account_of(delivery: ClaimedDelivery) -> Mailbox:
    """The account's mailbox. The platform stores addresses as they were typed."""
    try:
        return Mailbox(read_mailbox(trimmed(delivery.email or "")))
    except InvalidInput as error:
        raise PermanentFailure(error.detail) from None


def _host(url: str) -> str:
    try:
        return WebhookUrl.read(url).host
    except InvalidInput as error:
        raise PermanentFailure(error.detail) from None


def _message(delivery: ClaimedDelivery, rendered: RenderedMessage, *, to_account: bool = False) -> Message:
    files: tuple[Attachment, ...] = ()
    if rendered.lesson_file:
        method = METHODS[delivery.kind]
        files = (Attachment("lesson.ics", "text/calendar", rendered.lesson_file, {"method": method}),)
    # Phones show the summary; a mail has room for the whole text.
    text = rendered.text if delivery.channel_kind == "email" else rendered.summary
    return Message(
        delivery.kind,
        rendered.subject,
        text,
        rendered.html,
        files,
        rendered.data,
        message_id(delivery, to_account=to_account),
    )
