"""Migrate a database to a revision, one migrator at a time, and never a database that belongs to something else."""

import importlib.util
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import ClassVar

import psycopg
from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from worker.database import refused_login
from worker.errors import AstegniError, Misconfigured, Unavailable
from worker.logs import get_logger

# An arbitrary constant that must be the same in every migrator (`astegni` in ASCII, 7 bytes).
_LOCK = int.from_bytes(b"astegni", "big")
# A second migrator waits for the first and then has nothing to do.
_LOCK_WAIT = "5min"
# Revision 0001 puts this comment on `alembic_version`, since other programs also have a revision `0001`.
_MARK = "astegni-worker"

_log = get_logger(__name__)


class ForeignDatabase(AstegniError):
    """The database belongs to the platform, to another program, or to a newer release; it was not changed."""

    code: ClassVar[str] = "foreign-database"
    title: ClassVar[str] = "Not a database of this worker"
    status: ClassVar[int] = 409


class MigrationBusy(AstegniError):
    """Another session locks what a migration needs for longer than the migration waits."""

    code: ClassVar[str] = "migration-busy"
    title: ClassVar[str] = "Database is busy"
    status: ClassVar[int] = 503
    retryable: ClassVar[bool] = True


def migrate(database: str | URL | Engine, revision: str = "head") -> str | None:
    """Upgrade `database` to `revision` and return the revision it is at now.

    Raises ForeignDatabase before any change, MigrationBusy when a lock is unavailable (revisions done so far
    stay done; run it again), Unavailable when the server does not respond.
    """
    with _exclusive(database) as connection:
        before = _guarded_revision(connection)
        command.upgrade(_config(connection), revision)
        after = _revision(connection)
    _log.info("database_migrated", before=before, after=after)
    return after


def downgrade(database: str | URL | Engine, revision: str) -> str | None:
    """Downgrade `database` to `revision` (`base`: before the first) and return the revision it is at now.

    Tables of undone revisions are dropped with their rows. Raises the same errors as `migrate`.
    """
    with _exclusive(database) as connection:
        before = _guarded_revision(connection)
        command.downgrade(_config(connection), revision)
        after = _revision(connection)
    _log.info("database_downgraded", before=before, after=after)
    return after


def current(database: str | URL | Engine) -> str | None:
    """The revision `database` is at, or None; changes nothing."""
    with _connection(database) as connection:
        return _revision(connection)


@cache
def newest_revision() -> str | None:
    """The newest revision of this release, which a database must have for it to work."""
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


@contextmanager
def _exclusive(database: str | URL | Engine) -> Iterator[Connection]:
    """A connection that has the migrators' advisory lock until it closes."""
    with _connection(database) as connection:
        connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_WAIT}'")
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        yield connection


@contextmanager
def _connection(database: str | URL | Engine) -> Iterator[Connection]:
    """A connection detached from its pool, so that neither its lock nor its timeouts persist there."""
    engine = database if isinstance(database, Engine) else create_engine(database, poolclass=NullPool)
    try:
        with engine.connect() as connection:
            connection.detach()
            yield connection
    except OperationalError as error:
        raise _translated(error) from error
    except ProgrammingError as error:
        if not isinstance(error.orig, psycopg.errors.InsufficientPrivilege):
            raise
        raise Misconfigured(
            f"The role of DATABASE_URL may not do what a migration needs: {error.orig.diag.message_primary}. "
            "Let it own the database, and where it may not create extensions, let a superuser run `CREATE EXTENSION "
            "btree_gist` there once."
        ) from error


def _translated(error: OperationalError) -> AstegniError:
    match error.orig:
        case psycopg.errors.LockNotAvailable():
            return MigrationBusy(
                "A migration waited too long for a lock that another session holds. End long transactions (or the "
                "other migrator) and run the migration again."
            )
        case psycopg.errors.QueryCanceled():
            return MigrationBusy("A statement of a migration took too long. Run it again when the server is idle.")
    refusal = refused_login(error)
    if refusal is not None:
        return Misconfigured(f"The database of DATABASE_URL answers and refuses: {refusal}.")
    # libpq's messages contain host, user and database, never the password.
    return Unavailable(f"The database of DATABASE_URL does not answer, or broke off: {error.orig}")
