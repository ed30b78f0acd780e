"""Which IP addresses a webhook may connect to: public ones, and those that the operator allows."""

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

Network = IPv4Network | IPv6Network

# IANA's special-purpose registry (RFC 6890 and later), written out: what Python calls global differs by version.
_PRIVATE_V4 = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' NAT (RFC 6598); clouds keep metadata here, too
        "127.0.0.0/8",
        "168.63.129.16/32",  # Azure's own services, in the middle of public space
        "169.254.0.0/16",  # link-local; 169.254.169.254 is the metadata of most clouds
        "172.16.0.0/12",
        "192.0.0.0/24",
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",
        "192.52.193.0/24",
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# Everything outside it (mapped and compatible IPv4, NAT64, unique local, link-local, multicast …) is refused.
_PUBLIC_V6 = IPv6Network("2000::/3")
_PRIVATE_V6 = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4: an IPv4 address inside
        "2620:4f:8000::/48",
        "3fff::/20",  # documentation
    )
)


def is_allowed(address: str, allowed: Iterable[Network] = ()) -> bool:
    """Whether a connection to `address` is allowed (an IP address as text, as a resolver returns it)."""
    ip = ip_address(address)
    return is_named(address, allowed) or (_is_public_v4(ip) if isinstance(ip, IPv4Address) else _is_public_v6(ip))


def is_named(address: str, allowed: Iterable[Network]) -> bool:
    """Whether `address` is in one of the networks that the operator allows."""
    ip = ip_address(address)
    return any(ip in network for network in allowed)


def _is_public_v4(ip: IPv4Address) -> bool:
    return not any(ip in network for network in _PRIVATE_V4)


def _is_public_v6(ip: IPv6Address) -> bool:
    return ip in _PUBLIC_V6 and not any(ip in network for network in _PRIVATE_V6)
