"""Rates: how many units per period each person or address may use. Pure."""

from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address
from math import ceil

from worker.settings import Settings

MINUTE = 60
DAY = 86_400


@dataclass(frozen=True)
class Rate:
    """At most `most` units at once, regained evenly over `seconds`. `most` 0: unlimited.

    `name` is used in metrics and problem documents; `remedy` ends the sentence of a refusal.
    """

    name: str
    most: int
    seconds: int
    remedy: str = "Wait, then go on."

    @property
    def key(self) -> str:
        """The name under which use is counted. Another limit starts at zero, so that a raised one helps at once."""
        return f"{self.name}/{self.most}"

    @property
    def per_second(self) -> float:
        """Units regained per second."""
        return self.most / self.seconds

    @property
    def lease(self) -> int:
        """Units that a process reserves at once, to avoid a statement for each use: a twentieth."""
        return max(1, self.most // 20)

    def wait(self, used: float, more: float) -> int:
        """Whole seconds until `more` units fit in addition to the `used` ones; at most the whole period."""
        missing = used + more - self.most
        return min(self.seconds, max(1, ceil(missing / self.per_second)))


@dataclass(frozen=True)
class Rates:
    """All rates."""

    requests: Rate
    address_requests: Rate
    wrong_tokens: Rate
    unknown_feeds: Rate
    unknown_shares: Rate
    upload_bytes: Rate
    whiteboard_sessions: Rate
    bookings: Rate
    messages: Rate


def rates_of(settings: Settings) -> Rates:
    """The rates defined by the settings."""
    tomorrow = "Go on tomorrow, or ask an operator to raise the limit."
    return Rates(
        requests=Rate("requests", settings.limit_requests_per_minute, MINUTE),
        address_requests=Rate("address-requests", settings.limit_address_requests_per_minute, MINUTE),
        wrong_tokens=Rate("wrong-tokens", settings.limit_wrong_tokens_per_minute, MINUTE, "Sign in again, then go on."),
        unknown_feeds=Rate("unknown-feeds", settings.limit_unknown_feeds_per_minute, MINUTE),
        unknown_shares=Rate("unknown-shares", settings.limit_unknown_shares_per_minute, MINUTE),
        upload_bytes=Rate("upload-bytes", settings.limit_upload_bytes_per_day, DAY, tomorrow),
        whiteboard_sessions=Rate(
            "whiteboard-sessions", settings.limit_whiteboard_sessions_per_day, DAY, "Use a session that is open."
        ),
        bookings=Rate("bookings", settings.limit_bookings_per_day, DAY, tomorrow),
        messages=Rate("messages", settings.limit_messages_per_day, DAY, tomorrow),
    )


def address_key(host: str | None) -> str:
    """The key of an address: an IPv4 address, or the /64 that one IPv6 subscriber is given."""
    try:
        address = ip_address(host or "")
    except ValueError:
        return "address:unknown"
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped:
            return f"address:{address.ipv4_mapped}"
        return f"address:{IPv6Address(int(address) >> 64 << 64)}/64"
    return f"address:{address}"
