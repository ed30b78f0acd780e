"""Connections to hosts that untrusted users name: resolved once, every address checked, then one connected to."""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from worker.channels.addresses import Network, is_allowed, is_named
from worker.channels.errors import PermanentFailure, Unreachable
from worker.channels.tls import system_trust
from worker.channels.webhook_url import WebhookUrl
from worker.settings import Settings

# Resolves host and port to IP addresses as text, best first. Raises OSError.
Resolve = Callable[[str, int], Sequence[str]]


def resolve_host(host: str, port: int) -> Sequence[str]:
    """Ask the system's resolver."""
    addresses = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(address[0]) for *_, address in addresses]


@dataclass(frozen=True)
class EgressPolicy:
    """Which networks are allowed, how names are resolved, which authorities are trusted, and timeouts in seconds."""

    allowed: tuple[Network, ...] = ()
    resolve: Resolve = resolve_host
    trust: ssl.SSLContext = field(default_factory=system_trust)
    connect_timeout: float = 5.0
    total_timeout: float = 10.0

    @classmethod
    def of(cls, settings: Settings) -> "EgressPolicy":
        """The policy with the networks that the operator allows."""
        return cls(allowed=settings.webhook_allowed_networks)

    def find(self, url: WebhookUrl, deadline: "Deadline") -> Sequence[str]:
        """Resolve the host; all addresses are allowed. Raises PermanentFailure, and Unreachable without an answer."""
        addresses = _resolve_within(self.resolve, url, min(self.connect_timeout, deadline.left()))
        # A public address beside private ones is a common disguise of an attack on internal hosts.
        if not all(is_allowed(address, self.allowed) for address in addresses):
            raise PermanentFailure("The host leads to an address that webhooks may not reach.")
        if not url.has_usual_port and not all(is_named(address, self.allowed) for address in addresses):
            raise PermanentFailure("A webhook's port is 443 or 8443.")
        return addresses

    def connect(self, url: WebhookUrl, deadline: "Deadline") -> ssl.SSLSocket:
        """Connect to one of the host's addresses with TLS; the certificate must be valid for the host's name."""
        for address in self.find(url, deadline):
            try:
                plain = socket.create_connection((address, url.port), min(self.connect_timeout, deadline.left()))
            except OSError:
                continue
            try:
                plain.settimeout(deadline.left())
                return self.trust.wrap_socket(plain, server_hostname=url.host)
            except (OSError, Unreachable) as error:
                plain.close()
                raise Unreachable(_tls_reason(error)) from None
        raise Unreachable("The host cannot be reached.")


class Deadline:
    """The deadline of an exchange: each step gets the remaining time, so that many slow steps do not add up."""

    def __init__(self, seconds: float) -> None:
        self._ends_at = time.monotonic() + seconds

    def left(self) -> float:
        """Remaining seconds. Raises Unreachable when there are none."""
        left = self._ends_at - time.monotonic()
        if left <= 0:
            raise Unreachable("The answer took too long.")
        return left


def _resolve_within(resolve: Resolve, url: WebhookUrl, seconds: float) -> Sequence[str]:
    """Resolve in a thread: the system's resolver has no timeout, and a hostile name server may be slow on purpose."""
    answers: queue.SimpleQueue[Sequence[str] | None] = queue.SimpleQueue()

    def ask() -> None:
        try:
            answers.put(list(dict.fromkeys(resolve(url.host, url.port))))
        except (OSError, UnicodeError):
            answers.put(None)

    threading.Thread(target=ask, name="resolve-webhook", daemon=True).start()
    try:
        addresses = answers.get(timeout=seconds)
    except queue.Empty:
        addresses = None
    if not addresses:
        raise Unreachable("The host cannot be resolved.")
    return addresses


def _tls_reason(error: Exception) -> str:
    if isinstance(error, ssl.SSLCertVerificationError):
        return "The host has no certificate that can be trusted."
    return "The host does not speak TLS in time."
