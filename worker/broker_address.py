"""Parse REDIS_URL, the same way for all processes, or reject it with a sentence. Pure: nothing connects."""

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, unquote

from worker.errors import Misconfigured

_FORMS = (
    "redis://[user:password@]host[:port][/number], rediss://… (TLS), unix:///path/to/socket[?db=number] or amqp(s)://…"
)
# Up to the last `@`: a password may hold `#`, `/`, `?` and `@` as they are. Elsewhere these end the host.
_ADDRESS = re.compile(
    r"(?:(?P<userinfo>.*)@)?(?P<host>\[[0-9A-Fa-f:.]+(?:%[\w.]+)?\]|[^@/?#:\[\]\s]*)(?::(?P<port>[0-9]+))?"
    r"(?P<path>/[^?#@]*)?(?:\?(?P<query>[^#@]*))?",
    re.DOTALL,
)
_SOCKETS = frozenset({"unix", "redis+socket", "redis+unix", "socket"})
_RABBIT = {"amqp": 5672, "amqps": 5671, "pyamqp": 5672}
_REDIS_PORT = 6379
_MOST_PORT = 65_535


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is.

    `socket` is a unix socket instead of host and port; `database` is the number of a Redis database, or the virtual
    host of RabbitMQ, percent-encoded; `ca_file` has the certificate authority, if the system does not trust it already.
    """

    kind: str
    host: str = ""
    port: int = 0
    user: str | None = None
    password: str | None = field(default=None, repr=False)
    database: str = "0"
    socket: str | None = None
    tls: bool = False
    ca_file: Path | None = None

    @property
    def is_redis(self) -> bool:
        """Whether the broker is Redis or Valkey; otherwise it is RabbitMQ."""
        return self.kind == "redis"

    @property
    def url(self) -> str:
        """The form that Celery and Flower read: everything percent-encoded, with the password."""
        login = ""
        if self.user is not None or self.password is not None:
            login = f"{quote(self.user or '', safe='')}:{quote(self.password or '', safe='')}@"
        if self.socket is not None:
            return f"redis+socket://{login}{quote(self.socket)}?virtual_host={self.database}"
        scheme = {True: ("redis", "rediss"), False: ("amqp", "amqps")}[self.is_redis][self.tls]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{login}{host}:{self.port}/{self.database}"

    @property
    def tls_options(self) -> dict[str, Any] | None:
        """Celery's `broker_use_ssl`, which always verifies the certificate; None without TLS."""
        if not self.tls:
            return None
        ca_file = None if self.ca_file is None else str(self.ca_file)
        if self.is_redis:
            return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, "ssl_ca_certs": ca_file}
        return {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": ca_file, "server_hostname": self.host}


def read_broker_address(url: str, *, ca_file: Path | None = None) -> BrokerAddress:
    """Parse REDIS_URL. Raises Misconfigured, whose text never contains a part of the URL's login."""
    scheme, rest = _scheme(url)
    match = _ADDRESS.fullmatch(rest)
    if match is None:
        raise _refused(f"it cannot be read. Write {_FORMS}; percent-encode what is special in a user or password")
    user, password = _login(match["userinfo"])
    if ca_file is not None and not ca_file.is_file():
        raise Misconfigured(f"REDIS_CA_FILE names no file: {ca_file}.")
    options = _options(match["query"])
    if scheme in _SOCKETS:
        return _socket(match, options, user, password)
    if not match["host"]:
        raise _refused(f"it names no host. Write {_FORMS}")
    host = unquote(match["host"]).strip("[]")
    port = int(match["port"] or _RABBIT.get(scheme, _REDIS_PORT))
    if not 1 <= port <= _MOST_PORT:
        raise _refused(f"the port is not one of 1 to {_MOST_PORT}")
    if scheme in _RABBIT:
        if options:
            raise _refused("an address of RabbitMQ takes no options here")
        vhost = quote(unquote((match["path"] or "/")[1:]), safe="")
        return BrokerAddress("amqp", host, port, user, password, vhost, None, scheme == "amqps", ca_file)
    number = _number(unquote((match["path"] or "/")[1:]), options)
    return BrokerAddress("redis", host, port, user, password, number, None, scheme == "rediss", ca_file)


def _scheme(url: str) -> tuple[str, str]:
    scheme, separator, rest = url.strip().partition("://")
    scheme = scheme.lower()
    if not separator:
        raise _refused(f"it does not begin with a scheme. Write {_FORMS}")
    if "sentinel" in scheme or ";" in rest.rpartition("@")[2]:
        raise _refused("Sentinel and lists of servers are not supported. Name the master, or a proxy that follows it")
    if scheme not in {"redis", "rediss", *_SOCKETS, *_RABBIT}:
        raise _refused(f"its scheme is not known. Write {_FORMS}")
    return scheme, rest


def _socket(match: re.Match[str], options: dict[str, str], user: str | None, password: str | None) -> BrokerAddress:
    path = unquote(match["path"] or "")
    if match["host"] or match["port"] or path in {"", "/"}:
        raise _refused("a socket is written with its whole path, like unix:///run/redis/redis.sock")
    return BrokerAddress("redis", "", 0, user, password, _number("", options), path)


def _login(userinfo: str | None) -> tuple[str | None, str | None]:
    if userinfo is None:
        return None, None
    user, _, password = userinfo.partition(":")
    return unquote(user) or None, unquote(password) or None


def _options(query: str | None) -> dict[str, str]:
    options = dict(parse_qsl(query or "", keep_blank_values=True))
    if any(name.startswith("ssl") for name in options):
        raise _refused("certificates are always verified. Set REDIS_CA_FILE for an authority of your own")
    unknown = options.keys() - {"db", "virtual_host"}
    if unknown:
        raise _refused("of the options behind `?` only `db` is known")
    return options


def _number(path: str, options: dict[str, str]) -> str:
    numbers = {number for number in (path, options.get("db"), options.get("virtual_host")) if number}
    if len(numbers) > 1 or not all(number.isascii() and number.isdigit() for number in numbers):
        raise _refused("the database is a number, like /0")
    return str(int(numbers.pop())) if numbers else "0"


def _refused(reason: str) -> Misconfigured:
    return Misconfigured(f"REDIS_URL cannot be used: {reason}.")
