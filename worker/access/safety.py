"""Refuse to run with the published development key wherever an untrusted user could connect."""

import os

import psycopg
from psycopg.conninfo import conninfo_to_dict

from worker.address_values import is_loopback
from worker.errors import InvalidSetting
from worker.settings import DEVELOPMENT_KEY, Settings

_REMEDY = "Set SECRET_KEY to the key of the platform's tokens."


def require_safe(settings: Settings, bind_host: str) -> None:
    """Raise InvalidSetting when the development key would expose more than this machine.

    Everybody can sign tokens with that key. It replaces a missing SECRET_KEY only while no DATABASE_URL is set either,
    since a proxy in front makes loopback public. `astegni up` sets it explicitly for its embedded database; then the
    API must listen on loopback and the database be on this machine: reached over loopback or a unix socket.
    """
    if settings.signing_key != DEVELOPMENT_KEY:
        return
    if settings.secret_key is None and settings.database_url is not None:
        raise InvalidSetting(f"The development key is refused with a DATABASE_URL. {_REMEDY}")
    if not is_loopback(bind_host):
        raise InvalidSetting(f"The development key is refused on {bind_host}: anybody could sign in with it. {_REMEDY}")
    if settings.database_url is not None and not _is_local(settings.database_url):
        raise InvalidSetting(f"The development key is refused with a database elsewhere. {_REMEDY}")


def _is_local(database_url: str) -> bool:
    """Whether every host libpq would try for this URL is this machine. An unparsable URL is not local."""
    url = database_url.replace("postgresql+psycopg://", "postgresql://", 1)
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return False
    if parts.get("service") or os.environ.get("PGSERVICE"):
        return False
    named = [parts.get("host") or os.environ.get("PGHOST", ""), parts.get("hostaddr") or os.environ.get("PGHOSTADDR")]
    hosts = [host for hosts in named if hosts for host in str(hosts).split(",")]
    # An empty host, "/path" and "@name" are unix sockets.
    return all(not host or host.startswith(("/", "@")) or is_loopback(host) for host in hosts)
