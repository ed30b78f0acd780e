"""The Sentinels of a Redis whose master may change: their addresses, read from REDIS_URL. Pure: nothing connects."""

import re
from dataclasses import dataclass, field
from typing import Any

from worker.broker_url import BrokerUrl, refused, split_url

_PORT = 26379
# kombu's form: a whole URL for each Sentinel. A `;` of a password is not followed by the scheme.
_SEPARATOR = re.compile(";(sentinels?)://", re.IGNORECASE)


@dataclass(frozen=True)
class Sentinels:
    """Servers that know which Redis is the master now; `password` is their own, not Redis's.

    `tls_options` are redis-py's options for connections to them; None without TLS.
    """

    nodes: tuple[tuple[str, int], ...]
    master_name: str
    password: str | None = field(default=None, repr=False)
    tls_options: dict[str, Any] | None = None


def read_sentinels(
    scheme: str, rest: str, master_name: str | None, password: str | None, tls_options: dict[str, Any] | None
) -> tuple[BrokerUrl, Sentinels]:
    """The login and database of Redis, and the Sentinels, of a URL. Raises InvalidSetting.

    `rest` is the URL after its first `scheme`. Login and number may be given at one Sentinel or at all of them; both
    are those of Redis.
    """
    if master_name is None:
        raise refused("a master behind Sentinel needs its name. Set REDIS_MASTER_NAME, as `sentinel monitor` has it")
    first, *others = _SEPARATOR.split(rest)
    if any(other.lower() != scheme for other in others[::2]):
        raise refused(
            "some Sentinels are addressed with TLS and others without. Write sentinels:// for all, or for none"
        )
    urls = [split_url(part) for part in (first, *others[1::2])]
    if not all(url.host for url in urls):
        raise refused("one of the Sentinels has no host")
    logins = {(url.user, url.password) for url in urls} - {(None, None)}
    numbers = {url.number for url in urls} - {None}
    if len(logins) > 1 or len(numbers) > 1:
        raise refused("the Sentinels differ in login or database, which are those of the one Redis")
    user, secret = logins.pop() if logins else (None, None)
    nodes = tuple((url.host, url.port or _PORT) for url in urls)
    redis = BrokerUrl(*nodes[0], user, secret, f"/{numbers.pop() if numbers else 0}", {})
    return redis, Sentinels(nodes, master_name, password, tls_options)
