"""Migrate a database to a revision, one migrator at a time, and never a database that belongs to something else."""

import importlib.util
from functools import cache
from pathlib import Path
from typing import ClassVar

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, text

from worker.errors import AstegniError, Misconfigured
from worker.logs import get_logger
from worker.migration_connection import exclusive_connection, open_connection, retry_while_locked

# Revision 0001 puts this comment on `alembic_version`, since other programs also have a revision `0001`.
_MARK = "astegni-worker"
# Seconds for which a revision that does not get its locks is tried again.
_TIMEOUT = 120.0

_log = get_logger(__name__)


class ForeignDatabase(AstegniError):
    """The database belongs to the platform, to another program, or to a newer release; it was not changed."""

    code: ClassVar[str] = "foreign-database"
    title: ClassVar[str] = "Not a database of this worker"
    status: ClassVar[int] = 409


def migrate(database: str | URL | Engine, revision: str = "head", *, timeout: float = _TIMEOUT) -> str | None:
    """Upgrade `database` to `revision` and return the revision it is at now.

    Raises ForeignDatabase before any change, MigrationBusy when a lock is unavailable for `timeout` seconds (revisions
    done so far stay done; run it again), Unavailable when the server does not respond.
    """
    with exclusive_connection(database) as connection:
        before = _guarded_revision(connection)
        retry_while_locked(connection, lambda: command.upgrade(_config(connection), revision), timeout=timeout)
        after = _revision(connection)
    _log.info("database_migrated", before=before, after=after)
    return after


def downgrade(database: str | URL | Engine, revision: str, *, timeout: float = _TIMEOUT) -> str | None:
    """Downgrade `database` to `revision` (`base`: before the first) and return the revision it is at now.

    Tables of undone revisions are dropped with their rows. Raises the same errors as `migrate`.
    """
    with exclusive_connection(database) as connection:
        before = _guarded_revision(connection)
        retry_while_locked(connection, lambda: command.downgrade(_config(connection), revision), timeout=timeout)
        after = _revision(connection)
    _log.info("database_downgraded", before=before, after=after)
    return after


def current(database: str | URL | Engine) -> str | None:
    """The revision `database` is at, or None; changes nothing."""
    with open_connection(database) as connection:
        return _revision(connection)


@cache
def newest_revision() -> str | None:
    """The newest revision of this release, which its database must have."""
    return ScriptDirectory(str(_scripts())).get_current_head()


def _scripts() -> Path:
    """Where the migrations are installed; located without importing them, which the layers forbid."""
    spec = importlib.util.find_spec("migrations")
    if spec is None or spec.origin is None:
        raise Misconfigured("The package `migrations` is not installed. Install astegni-worker again.")
    return Path(spec.origin).parent


def _config(connection: Connection) -> Config:
    config = Config()
    # Alembic interpolates the value: a percent sign in the path must be doubled.
    config.set_main_option("script_location", str(_scripts()).replace("%", "%%"))
    config.attributes["connection"] = connection
    return config


def _revision(connection: Connection) -> str | None:
    revision = MigrationContext.configure(connection).get_current_revision()
    connection.rollback()
    return revision


def _guarded_revision(connection: Connection) -> str | None:
    """The revision, after checking that the database belongs to this worker. Raises ForeignDatabase."""
    revision = _revision(connection)
    known = {script.revision for script in ScriptDirectory.from_config(_config(connection)).walk_revisions()}
    # Tables are looked up on the search path only: hosted servers have their own `users` table in other schemas.
    users, mark = connection.execute(
        text("SELECT to_regclass('users') IS NOT NULL, obj_description(to_regclass('alembic_version'), 'pg_class')")
    ).one()
    connection.rollback()
    if revision is None and users:
        raise ForeignDatabase(
            "The database already has a table `users` that this worker did not make: it is the platform's own "
            "database, or somebody else's. Nothing was changed. Create a database for the worker (`CREATE DATABASE "
            "astegni_worker`) and point DATABASE_URL at it."
        )
    if revision is not None and mark != _MARK:
        raise ForeignDatabase(
            f"The database is at revision {revision} of another program's migrations: its table `alembic_version` "
            f"lacks the comment '{_MARK}'. Nothing was changed. Point DATABASE_URL at a database of the worker's own; "
            "only if this is that database, restored without its comments, set the comment again."
        )
    if revision is not None and revision not in known:
        raise ForeignDatabase(
            f"The database is at revision {revision}, which this release does not know. Nothing was changed. "
            "Install the newer release that migrated it."
        )
    return revision
