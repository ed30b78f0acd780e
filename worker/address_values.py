"""Checks for the addresses in settings. Each raises ValueError with a text that says what is required."""

import ipaddress
import re
import string
from urllib.parse import SplitResult, unquote, urlsplit

from worker.setting_values import CONTROL

_LABEL = r"(?!-)[A-Za-z0-9_-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.?", re.ASCII)


_LONGEST_HEADER_ADDRESS = 900
_HEADER_ADDRESS = re.compile(r"[!-;=?-~]+", re.ASCII)


_DEFAULT_PORTS = {"http": 80, "https": 443}
_DATABASE_SCHEMES = frozenset({"postgresql", "postgres", "postgresql+psycopg"})
# Behind the scheme, as SQLAlchemy reads it: a password may contain anything but `@`.
_DATABASE_HOSTS = re.compile(r"(?:[^:/]*(?::[^@]*)?@)?(?P<hosts>[^/:?\[]*)")


def listening_host(host: str) -> str:
    """An address or a host name to listen on or to connect to, without scheme and port."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        if not _HOST_NAME.fullmatch(host):
            raise ValueError(
                "must be an IP address or a host name without scheme and port, like 127.0.0.1 or mail.example"
            ) from None
    return host


def origin(text: str) -> str:
    """An origin (RFC 6454 §6.2) spelled as browsers send it: no other spelling would ever match."""
    rule = "must be origins like https://astegni.example or http://localhost:3000: scheme, host and port, "
    parts = _split(text)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or "*" in text:
        raise ValueError(f"{rule}each spelled out without a wildcard")
    port = "" if parts.port in (None, _DEFAULT_PORTS[parts.scheme]) else f":{parts.port}"
    host = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname
    as_sent = f"{parts.scheme}://{host}{port}"
    if text != as_sent:
        raise ValueError(f"{rule}without path, slash at the end, user and default port, in lower case")
    return text


def web_address(text: str, *, secure: bool = False) -> str:
    """An absolute http(s) address; with `secure` it must be https, except for loopback."""
    parts = _split(text)
    if parts is None or parts.scheme not in _DEFAULT_PORTS or parts.username is not None or " " in text:
        raise ValueError("must be an address like https://astegni.example/path, without user and password")
    if secure and parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise ValueError("must begin with https://; http:// is for this machine only (localhost, 127.0.0.1)")
    return text


def header_address(text: str) -> str:
    """An address that fits in angle brackets on one line of a mail header (RFC 5322 §2.1.1: 998 characters a line)."""
    if len(text) > _LONGEST_HEADER_ADDRESS or not _HEADER_ADDRESS.fullmatch(text):
        raise ValueError("must be at most 900 ASCII characters without blanks and angle brackets, to fit into a mail")
    return web_address(text, secure=True)


def base_address(text: str) -> str:
    """An address that paths are appended to, without a slash at the end."""
    parts = urlsplit(web_address(text, secure=True))
    if parts.query or parts.fragment or "?" in text or "#" in text:
        raise ValueError("must be an address without `?` and `#`, like https://api.astegni.example")
    return text.rstrip("/")


def response_address(text: str) -> str:
    """A base address that is sent in the headers `Location` and `Content-Security-Policy`."""
    base = header_address(text)
    try:
        listening_host(urlsplit(base).hostname or "")
    except ValueError:
        raise ValueError("must have a host name or an IP address, like https://uploads-1.astegni.example") from None
    return base_address(base)


def address_template(text: str, placeholder: str) -> str:
    """An address that contains `{placeholder}` and no other placeholder."""
    rule = f"must be an address with {{{placeholder}}} in it and no other braces, like https://astegni.example/"
    try:
        names = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        names = set()
    if names != {placeholder}:
        raise ValueError(f"{rule}{{{placeholder}}}")
    web_address(text.replace(f"{{{placeholder}}}", "1"))
    return text


def database_address(text: str) -> str:
    """The address of a PostgreSQL database."""
    scheme, _, rest = text.partition("://")
    hosts = _DATABASE_HOSTS.match(rest)
    names = "" if hosts is None else unquote(hosts["hosts"])
    if CONTROL.search(text) or scheme not in _DATABASE_SCHEMES or not is_resolvable(names):
        raise ValueError("must be the address of a PostgreSQL database, like postgresql://user:password@host/name")
    return text


def platform_address(text: str) -> str:
    """The address of a PostgreSQL database as libpq reads it."""
    import psycopg  # noqa: PLC0415 - only where this setting is used: it takes a tenth of a second
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    try:
        parts = conninfo_to_dict(text) if text.startswith(("postgresql://", "postgres://")) else {}
        is_read = bool(parts) and is_resolvable(str(parts.get("host", "")))
    except psycopg.ProgrammingError:
        is_read = False
    if not is_read or CONTROL.search(text):
        raise ValueError(
            "must be the address of the platform's database, like postgresql://astegni_reader:password@host/name, with "
            "special characters of the password percent-encoded"
        )
    return text


def is_resolvable(hosts: str) -> bool:
    """Whether each name of a comma-separated list can be looked up.

    Python raises UnicodeError for an empty label, as in `db..example`, and for one of more than 63 characters.
    """
    try:
        _ = [host.encode("idna") for host in hosts.split(",") if not host.startswith("/")]
    except UnicodeError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Whether `host` is this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _split(text: str) -> SplitResult | None:
    """The parts of an address that has a host; None for anything else."""
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        return None
    is_address = parts.hostname and is_resolvable(parts.hostname) and not CONTROL.search(text)
    return parts if is_address else None
