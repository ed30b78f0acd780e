"""Masked labels of addresses: enough to recognise an address, not enough to use it. Pure."""

from typing import Any

from worker.channels.apprise_services import SERVICES, check_service
from worker.channels.destinations import Destination, Mailbox, Webhook
from worker.channels.webhook_url import WebhookUrl

# The width of the column.
_LONGEST = 100


def label_of(destination: Destination) -> str:
    """Like `a…@example.com`, `https://example.org/…`, `Telegram …1234`."""
    if isinstance(destination, Mailbox):
        local, _, domain = destination.address.rpartition("@")
        return _fit(f"{local[0]}…@", domain, "")
    if isinstance(destination, Webhook):
        return _fit("https://", WebhookUrl.read(destination.url).authority, "/…")
    plugin: Any = check_service(destination.url)
    name = str(SERVICES[destination.url.partition("://")[0]].service_name)
    target = _receiver(plugin)
    return f"{name} …{target[-4:]}" if len(target) > 4 else name


def _receiver(plugin: Any) -> str:
    """Chat, channel or telephone number; empty when the address has none apart from its secret."""
    targets = getattr(plugin, "targets", None)
    first = targets[0] if isinstance(targets, list) and targets else ""
    # Some targets are tuples: Telegram adds the topic of a chat, Twilio a letter for the kind of number.
    return max((str(part) for part in first if part is not None), key=len) if isinstance(first, tuple) else str(first)


def _fit(before: str, host: str, after: str) -> str:
    room = _LONGEST - len(before) - len(after)
    return before + (host if len(host) <= room else "…" + host[1 - room :]) + after
