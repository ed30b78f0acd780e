"""How many connections and open files a process of the API may have."""

import resource
from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from worker.settings import Settings

_MAX_DESCRIPTORS = 65_536


@dataclass(frozen=True)
class Bounds:
    """How many connections may be open, and how many seconds each may wait for its client.

    `least_rate` is the minimum bytes a second of a body, on average over `pause_seconds`.
    """

    most: int
    most_of_address: int
    header_seconds: float
    pause_seconds: float
    least_rate: int
    trusted: tuple[IPv4Network | IPv6Network, ...] = ()

    @classmethod
    def of(cls, settings: Settings, descriptors: int) -> "Bounds":
        """The bounds of the settings, in a process that may have `descriptors` files open."""
        return cls(
            # The remaining descriptors are for the database, the spool and files.
            most=max(1, min(settings.api_connections, descriptors - 200)),
            most_of_address=settings.api_connections_per_address,
            header_seconds=settings.api_header_seconds,
            pause_seconds=settings.api_pause_seconds,
            least_rate=settings.api_least_rate,
            trusted=settings.trusted_proxies,
        )


def raise_descriptors() -> int:
    """Raise this process's limit of open files as far as the system allows, and return it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    target = _MAX_DESCRIPTORS if hard == resource.RLIM_INFINITY else min(hard, _MAX_DESCRIPTORS)
    if soft != resource.RLIM_INFINITY and soft < target:
        resource.setrlimit(resource.RLIMIT_NOFILE, (target, hard))
        return target
    return _MAX_DESCRIPTORS if soft == resource.RLIM_INFINITY else soft
