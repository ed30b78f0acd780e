"""The connection of a migration: alone, and with clear errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

import psycopg
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from worker.errors import AstegniError, Misconfigured, Unavailable
from worker.refused_login import refused_login

# An arbitrary constant that must be the same in every migrator (`astegni` in ASCII, 7 bytes).
_LOCK = int.from_bytes(b"astegni", "big")
# A second migrator waits for the first and then has nothing to do.
_LOCK_WAIT = "5min"


class MigrationBusy(AstegniError):
    """Another session locks what a migration needs for longer than the migration waits."""

    code: ClassVar[str] = "migration-busy"
    title: ClassVar[str] = "Database is busy"
    status: ClassVar[int] = 503
    retryable: ClassVar[bool] = True


@contextmanager
def exclusive_connection(database: str | URL | Engine) -> Iterator[Connection]:
    """A connection that has the migrators' advisory lock until it closes."""
    with open_connection(database) as connection:
        connection.exec_driver_sql(f"SET lock_timeout = '{_LOCK_WAIT}'")
        connection.exec_driver_sql("SET statement_timeout = 0")
        connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        yield connection


@contextmanager
def open_connection(database: str | URL | Engine) -> Iterator[Connection]:
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
