"""Split a broker's URL into its parts, or reject it with an explanation that repeats no part of its login. Pure."""

import re
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote

from worker.address_values import is_resolvable
from worker.errors import InvalidSetting

FORMS = (
    "redis://[user:password@]host[:port][/number], rediss://… (TLS), unix:///path/to/socket[?db=number], "
    "sentinel(s)://[user:password@]host[:port][/number];sentinel(s)://… or amqp(s)://…"
)
# The userinfo ends at the last `@`: a password may contain unescaped `#`, `/`, `?` and `@`. Elsewhere these end the
# host.
_ADDRESS = re.compile(
    r"(?:(?P<userinfo>.*)@)?(?P<host>\[[0-9A-Fa-f:.]+(?:%[\w.]+)?\]|[^@/?#:;\[\]\s]*)(?::(?P<port>[0-9]+))?"
    r"(?P<path>/[^?#@]*)?(?:\?(?P<query>[^#@]*))?",
    re.DOTALL,
)
_MAX_PORT = 65_535


@dataclass(frozen=True)
class BrokerUrl:
    """The parts after `://`, percent-decoded, except for `path`."""

    host: str
    port: int | None
    user: str | None
    password: str | None = field(repr=False)
    path: str
    options: dict[str, str]

    @property
    def number(self) -> str | None:
        """The number of a Redis database, from the path or the options; None when there is none."""
        path = unquote(self.path[1:])
        numbers = {number for number in (path, *map(self.options.get, ("db", "virtual_host"))) if number}
        if len(numbers) > 1 or not all(number.isascii() and number.isdigit() for number in numbers):
            raise refused("the database is a number, like /0")
        return str(int(numbers.pop())) if numbers else None


def split_url(rest: str) -> BrokerUrl:
    """The parts of a URL without its scheme. Raises InvalidSetting."""
    match = _ADDRESS.fullmatch(rest)
    if match is None:
        raise refused(f"it cannot be read. Write {FORMS}; percent-encode what is special in a user or password")
    user, password = _login(match["userinfo"])
    port = None if match["port"] is None else int(match["port"])
    if port is not None and not 1 <= port <= _MAX_PORT:
        raise refused(f"the port is not one of 1 to {_MAX_PORT}")
    host = unquote(match["host"]).strip("[]")
    if not is_resolvable(host):
        raise refused("its host name is none: a label of it is empty or longer than 63 characters")
    return BrokerUrl(host, port, user, password, match["path"] or "", _options(match["query"]))


def _login(userinfo: str | None) -> tuple[str | None, str | None]:
    if userinfo is None:
        return None, None
    user, _, password = userinfo.partition(":")
    return unquote(user) or None, unquote(password) or None


def _options(query: str | None) -> dict[str, str]:
    options = dict(parse_qsl(query or "", keep_blank_values=True))
    if any(name.startswith("ssl") for name in options):
        raise refused("certificates are always verified. Set REDIS_CA_FILE for an authority of your own")
    unknown = options.keys() - {"db", "virtual_host"}
    if unknown:
        raise refused("of the options behind `?` only `db` is known")
    return options


def refused(reason: str) -> InvalidSetting:
    """The error of a URL that cannot be used."""
    return InvalidSetting(f"REDIS_URL cannot be used: {reason}.")
