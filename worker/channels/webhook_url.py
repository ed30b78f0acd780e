"""Parse the URL of a webhook strictly: whatever two programs could parse differently is refused."""

import re
from dataclasses import dataclass
from typing import Self
from urllib.parse import urlsplit

from worker.errors import InvalidInput

_LONGEST = 2000
_PRINTABLE = re.compile(r"[!-~]+", re.ASCII)
_LABEL = r"(?!-)[a-z0-9_-]{1,63}(?<!-)"
_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*", re.ASCII)
# By the URL standard a host whose last part is a number is an IPv4 address: 127.1, 2130706433, 0x7f000001, 0177.0.0.1.
_NUMBER = re.compile(r"(\d+|0x[0-9a-f]*)", re.ASCII)
_DEFAULT_PORT = 443
# Any other would let users scan the ports of other hosts. The operator's own networks may use all.
_PORTS = frozenset({443, 8443})


@dataclass(frozen=True)
class WebhookUrl:
    """Host (lower case, ASCII, a name), port, and the target of the request line (path and query)."""

    host: str
    port: int
    target: str

    @classmethod
    def read(cls, text: str) -> Self:
        """Parse `text`. Raises InvalidInput, which never repeats the text, because paths hold secrets."""
        # `urlsplit` silently drops tabs and newlines, so they are refused first.
        if len(text) > _LONGEST or not _PRINTABLE.fullmatch(text) or "\\" in text:
            raise InvalidInput("A webhook's address is at most 2000 printable ASCII characters, without backslashes.")
        try:
            parts = urlsplit(text)
            port = parts.port
        except ValueError:
            raise InvalidInput("A webhook's address is one like `https://example.com/hook`.") from None
        if parts.scheme != "https":
            raise InvalidInput("A webhook's address begins with `https://`.")
        if "@" in parts.netloc:
            raise InvalidInput("A webhook's address holds no user name and no password.")
        if "#" in text:
            raise InvalidInput("A webhook's address has no fragment (`#`).")
        if port == 0:
            raise InvalidInput("A webhook's port is 443 or 8443.")
        target = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        return cls(_host(parts.hostname or ""), _DEFAULT_PORT if port is None else port, target)

    @property
    def has_usual_port(self) -> bool:
        """Whether webhooks outside the operator's networks may use the port."""
        return self.port in _PORTS

    @property
    def authority(self) -> str:
        """The value of the header `Host`."""
        return self.host if self.port == _DEFAULT_PORT else f"{self.host}:{self.port}"


def _host(host: str) -> str:
    """Return the host name; IP addresses in every notation and names with a trailing dot are refused."""
    last = host.rpartition(".")[2]
    if len(host) > 253 or not _NAME.fullmatch(host) or _NUMBER.fullmatch(last):
        raise InvalidInput("A webhook's host is a name like `example.com`, not an IP address.")
    return host
