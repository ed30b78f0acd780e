"""Parse REDIS_URL, the same way in all processes, or reject it with an explanation. Pure: nothing connects."""

import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote

from worker.broker_url import FORMS, BrokerUrl, refused, split_url
from worker.errors import InvalidSetting
from worker.sentinels import Sentinels, read_sentinels

_SOCKETS = frozenset({"unix", "redis+socket", "redis+unix", "socket"})
_RABBIT = {"amqp": 5672, "amqps": 5671, "pyamqp": 5672}
_REDIS_PORT = 6379
# Whether the Sentinels, and Redis behind them, are reached by TLS.
_SENTINELS = {"sentinel": False, "sentinels": True}


@dataclass(frozen=True)
class BrokerAddress:
    """Where the broker is.

    `socket` is a unix socket instead of host and port; `database` is the number of a Redis database, or the virtual
    host of RabbitMQ, percent-encoded; `ca_file` has the certificate authority, unless the system trusts it already.
    With `sentinels`, host and port are those of the first Sentinel, and login and database are those of Redis.
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
    sentinels: Sentinels | None = None

    @property
    def is_redis(self) -> bool:
        """Whether the broker is Redis or Valkey; otherwise it is RabbitMQ."""
        return self.kind == "redis"

    @property
    def url(self) -> str:
        """The URL that Celery and Flower read: everything percent-encoded, with the password."""
        login = ""
        if self.user is not None or self.password is not None:
            login = f"{quote(self.user or '', safe='')}:{quote(self.password or '', safe='')}@"
        if self.socket is not None:
            return f"redis+socket://{login}{quote(self.socket)}?virtual_host={self.database}"
        # Only the first Sentinel: Flower shows the others of a URL with their passwords, and our transport does not
        # need them (worker/processes/sentinel_transport.py).
        names = ("redis", "rediss") if self.is_redis else ("amqp", "amqps")
        scheme = "sentinel" if self.sentinels else names[self.tls]
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{scheme}://{login}{host}:{self.port}/{self.database}"

    @property
    def tls_options(self) -> dict[str, Any] | None:
        """Celery's `broker_use_ssl`, which always verifies the certificate; None without TLS."""
        if not self.tls:
            return None
        if self.is_redis:
            return _redis_tls_options(self.ca_file)
        ca_file = None if self.ca_file is None else str(self.ca_file)
        return {"cert_reqs": ssl.CERT_REQUIRED, "ca_certs": ca_file, "server_hostname": self.host}


def read_broker_address(
    url: str,
    *,
    ca_file: Path | None = None,
    master_name: str | None = None,
    sentinel_password: str | None = None,
) -> BrokerAddress:
    """Parse REDIS_URL. Raises InvalidSetting, whose text never contains any part of the URL's login.

    `master_name` and `sentinel_password` are only for Sentinel.
    """
    scheme, rest = _scheme(url)
    if ca_file is not None and not ca_file.is_file():
        raise InvalidSetting(f"REDIS_CA_FILE names no file: {ca_file}.")
    if scheme in _SENTINELS:
        tls = _SENTINELS[scheme]
        tls_options = _redis_tls_options(ca_file) if tls else None
        redis, sentinels = read_sentinels(scheme, rest, master_name, sentinel_password, tls_options)
        return _redis(redis, tls=tls, ca_file=ca_file, sentinels=sentinels)
    parts = split_url(rest)
    if scheme in _SOCKETS:
        return _socket(parts)
    if not parts.host:
        raise refused(f"it names no host. Write {FORMS}")
    if scheme in _RABBIT:
        return _rabbit(parts, scheme, ca_file)
    return _redis(parts, tls=scheme == "rediss", ca_file=ca_file)


def _scheme(url: str) -> tuple[str, str]:
    scheme, separator, rest = url.strip().partition("://")
    scheme = scheme.lower()
    if not separator:
        raise refused(f"it does not begin with a scheme. Write {FORMS}")
    if scheme not in {"redis", "rediss", *_SENTINELS, *_SOCKETS, *_RABBIT}:
        raise refused(f"its scheme is not known. Write {FORMS}")
    if scheme not in _SENTINELS and ";" in rest.rpartition("@")[2]:
        raise refused("only Sentinels are written as a list. Name one server, or a proxy that follows the master")
    return scheme, rest


def _redis_tls_options(ca_file: Path | None) -> dict[str, Any]:
    authority = None if ca_file is None else str(ca_file)
    return {"ssl_cert_reqs": ssl.CERT_REQUIRED, "ssl_check_hostname": True, "ssl_ca_certs": authority}


def _redis(parts: BrokerUrl, *, tls: bool = False, **more: Any) -> BrokerAddress:
    port, number = parts.port or _REDIS_PORT, parts.number or "0"
    return BrokerAddress("redis", parts.host, port, parts.user, parts.password, number, None, tls, **more)


def _rabbit(parts: BrokerUrl, scheme: str, ca_file: Path | None) -> BrokerAddress:
    if parts.options:
        raise refused("an address of RabbitMQ takes no options here")
    vhost, port = quote(unquote(parts.path[1:]), safe=""), parts.port or _RABBIT[scheme]
    return BrokerAddress("amqp", parts.host, port, parts.user, parts.password, vhost, None, scheme == "amqps", ca_file)


def _socket(parts: BrokerUrl) -> BrokerAddress:
    path = unquote(parts.path)
    if parts.host or parts.port or path in {"", "/"}:
        raise refused("a socket is written with its whole path, like unix:///run/redis/redis.sock")
    number = BrokerUrl("", None, None, None, "", parts.options).number or "0"
    return BrokerAddress("redis", "", 0, parts.user, parts.password, number, path)
