"""The destination of a channel (mailbox, webhook or service), and its text form, which is stored encrypted."""

import base64
import json
import secrets
from dataclasses import asdict, dataclass, field

from models.states import ChannelKind

_SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of Standard Webhooks, not a secret
_SECRET_BYTES = 32


@dataclass(frozen=True)
class Mailbox:
    """A mail address, checked by `email_address.read_mailbox`."""

    address: str


@dataclass(frozen=True)
class Webhook:
    """An https address and the secret that signs what goes there (Standard Webhooks: `whsec_` and base64)."""

    url: str = field(repr=False)
    secret: str = field(repr=False)


@dataclass(frozen=True)
class MessageService:
    """An apprise address, like `tgram://token/chat`."""

    url: str = field(repr=False)


Destination = Mailbox | Webhook | MessageService
_CLASSES: dict[ChannelKind, type[Destination]] = {"email": Mailbox, "webhook": Webhook, "apprise": MessageService}


def kind_of(destination: Destination) -> ChannelKind:
    """The stored kind."""
    return next(kind for kind, destination_class in _CLASSES.items() if type(destination) is destination_class)


def to_text(destination: Destination) -> str:
    """The text form, to be encrypted and stored."""
    return json.dumps({"kind": kind_of(destination), **asdict(destination)})


def from_text(text: str) -> Destination:
    """Parse what `to_text` returned."""
    fields = json.loads(text)
    return _CLASSES[fields.pop("kind")](**fields)


def new_webhook_secret() -> str:
    """A secret of 256 bits."""
    return _SECRET_PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signing_bytes(webhook: Webhook) -> bytes:
    """The decoded key, which Standard Webhooks signs with."""
    return base64.b64decode(webhook.secret.removeprefix(_SECRET_PREFIX))
