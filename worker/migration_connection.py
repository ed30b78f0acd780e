"""The connection for a migration: exclusive, and with clear errors."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import ClassVar

import psycopg
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, text
from sqlalchemy.exc import OperationalError, ProgrammingError

from worker.errors import AstegniError, Misconfigured, Unavailable
from worker.logs import get_logger
from worker.refused_login import READ_ONLY, accepts_no_changes, refused_login

# An arbitrary constant that must be the same in every migrator (`astegni` in ASCII, 7 bytes).
_LOCK = int.from_bytes(b"astegni", "big")
# Seconds. A second migrator waits for the first and then has nothing to do.
_LOCK_WAIT = 300.0
_LOOK_EVERY = 0.2
# Seconds between two attempts at a revision: statements queued behind it for the same table run in between.
_FIRST_PAUSE = 0.5
_LONGEST_PAUSE = 10.0
# psycopg itself would wait 130 s for a server that accepts the connection and never answers. No keepalive or timeout of
# the socket, since a statement of a migration may take long.
_CONNECT_ARGS = {"connect_timeout": 5, "target_session_attrs": "read-write"}
_LOCKED = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected)

_log = get_logger(__name__)


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
        connection.exec_driver_sql("SET statement_timeout = 0")
        _wait_for_other_migrators(connection)
        yield connection


def _wait_for_other_migrators(connection: Connection) -> None:
    """Take the advisory lock by polling: CREATE INDEX CONCURRENTLY waits for every waiting statement."""
    end = time.monotonic() + _LOCK_WAIT
    while True:
        taken = connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": _LOCK})
        connection.commit()
        if taken:
            return
        if time.monotonic() > end:
            raise MigrationBusy(f"Another migrator has been at work for {_LOCK_WAIT:g} s. Wait until it has ended.")
        time.sleep(_LOOK_EVERY)


def retry_while_locked(connection: Connection, change: Callable[[], None], *, timeout: float) -> None:
    """Call `change` until it gets its locks; after `timeout` seconds raise the last attempt's error.

    The lock timeout of each attempt is short (migrations/env.py), because later statements queue behind it.
    """
    end = time.monotonic() + timeout
    pause = _FIRST_PAUSE
    while True:
        try:
            return change()
        except OperationalError as error:
            connection.rollback()
            if not isinstance(error.orig, _LOCKED) or time.monotonic() + pause > end:
                raise
        _log.info("migration_waits_for_lock", pause=pause)
        time.sleep(pause)
        pause = min(2 * pause, _LONGEST_PAUSE)


@contextmanager
def open_connection(database: str | URL | Engine) -> Iterator[Connection]:
    """A connection that is closed instead of returning to its pool, so that neither lock nor timeouts persist there."""
    if isinstance(database, Engine):
        engine = database
    else:
        engine = create_engine(database, poolclass=NullPool, connect_args=_CONNECT_ARGS)
    try:
        with engine.connect() as connection:
            try:
                yield connection
            finally:
                connection.invalidate()
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
        case psycopg.errors.LockNotAvailable() | psycopg.errors.DeadlockDetected():
            return MigrationBusy(
                "A migration tried for too long to get a lock that another session holds. End long transactions and "
                "run the migration again."
            )
        case psycopg.errors.QueryCanceled():
            return MigrationBusy("A statement of a migration took too long. Run it again when the server is idle.")
    if accepts_no_changes(error):
        return Unavailable(f"The database of DATABASE_URL {READ_ONLY}.")
    refusal = refused_login(error)
    if refusal is not None:
        return Misconfigured(f"The database of DATABASE_URL answers and refuses: {refusal}.")
    # libpq's messages contain host, user and database, never the password.
    return Unavailable(f"The database of DATABASE_URL does not answer, or broke off: {error.orig}")
