"""Mail addresses: those that mean one mailbox somewhere on the Internet (RFC 5321 §4.1.2, without its curiosities)."""

import re

from worker.errors import InvalidInput

_LONGEST = 254
_LONGEST_LOCAL = 64
_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(\.{_ATOM})*", re.ASCII)
_LABEL = r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)"
# At least two labels: `root@localhost` is the mail server itself. The last one is no number: no IP addresses.
_DOMAIN = re.compile(rf"({_LABEL}\.)+(?!\d+$){_LABEL}", re.ASCII)


def read_mailbox(text: str) -> str:
    """The address in `text`, its domain in lower case and in ASCII. Raises InvalidInput.

    Quoted local parts, comments, domain literals, display names and more than one address are refused, and so are
    local parts outside ASCII, which most mail servers refuse.
    """
    local, at, domain = text.rpartition("@")
    domain = _in_ascii(domain).lower()
    address = f"{local}@{domain}"
    fits = len(address) <= _LONGEST and len(local) <= _LONGEST_LOCAL
    if not (at and fits and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain)):
        raise InvalidInput("This is not a mail address like `name@example.com`.")
    return address


def _in_ascii(domain: str) -> str:
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:
        return ""
