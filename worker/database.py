"""Connections and the unit of work: one commit, at the edge, and what must follow a commit follows it."""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any
from uuid import UUID

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import URL, Engine, TextClause, create_engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import InterfaceError, InvalidatePoolError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# Every table, wherever there is a database: a foreign key must find the table it points to.
from models.metadata import metadata as _metadata  # noqa: F401

# A connection that hangs must not hang its process: every wait has an end.
_CONNECT_ARGS = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    "options": "-c statement_timeout=30000 -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC",
}

# A connection that was used a moment ago is not asked whether it still lives: asking costs as much as a statement.
_TRUSTED_SECONDS = 0.2
_USED_AT = "used_at"

# What is raised while the database is away, or too busy: the same again may do.
AWAY = (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError)

AfterCommit = Callable[[], None]
# Told of every job that a committed transaction queued (worker/jobs/publisher.py).
Announce = Callable[[UUID], None]


class Database:
    """The engine of one process and its transactions.

    Make it after a fork, never before: a connection shared by two processes answers the wrong one.
    """

    def __init__(
        self, url: str | URL, *, announce: Announce | None = None, pool_size: int = 5, max_overflow: int = 5
    ) -> None:
        self._announce = announce
        self.engine: Engine = create_engine(
            url,
            pool_recycle=1800,
            pool_size=pool_size,
            max_overflow=max_overflow,
            pool_timeout=5,
            # Values are what people wrote: no error repeats them.
            hide_parameters=True,
            connect_args=dict[str, Any](_CONNECT_ARGS),
        )
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", partial(_check_alive, self.engine))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or rolls back; then `after_commit` calls run.

        They run after the block and not from SQLAlchemy's `after_commit` event, which also fires when a
        SAVEPOINT is released. An error in one of them cannot undo the commit, so they must not raise.
        """
        with Session(self.engine, expire_on_commit=False, info={"announce": self._announce}) as session:
            with session.begin():
                yield session
            for call in _calls(session):
                call()

    @contextmanager
    def statement(self) -> Iterator["Statement"]:
        """A pooled connection for one statement that is a transaction by itself: one round trip instead of three.

        Nothing follows its commit: `after_commit` and `announce_after_commit` are for `transaction`. Errors are
        psycopg's.
        """
        pooled = self.engine.raw_connection()
        connection: psycopg.Connection[Any] = pooled.driver_connection  # type: ignore[assignment]  # it is psycopg's
        try:
            connection.autocommit = True
            yield Statement(connection)
        finally:
            if connection.pgconn.transaction_status == TransactionStatus.IDLE:
                connection.autocommit = False
            else:
                # Broken, or its answer was not waited for (a time limit's signal): not to be used again.
                pooled.invalidate()
            pooled.close()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


class Statement:
    """Runs SQL as a session does, without what a session does around it: that costs more than the statement."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: TextClause, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
        """Run it; the rows have their columns as attributes."""
        return self._connection.cursor(row_factory=namedtuple_row).execute(_as_psycopg(sql), values)


# What the ledger's SQL is written for: part of a transaction, or one by itself.
Executor = Session | Statement


@cache
def _as_psycopg(sql: TextClause) -> bytes:
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    return str(sql.compile(dialect=dialect)).encode()


def after_commit(session: Session, call: AfterCommit) -> None:
    """Run `call` once the transaction of `session` has been committed; never when it rolls back."""
    _calls(session).append(call)


def _calls(session: Session) -> list[AfterCommit]:
    calls: list[AfterCommit] = session.info.setdefault("after_commit", [])
    return calls


def announce_after_commit(session: Session, job_id: UUID) -> None:
    """Tell this process's publisher of a job once it is committed; without one the relay finds it."""
    announce: Announce | None = session.info.get("announce")
    if announce is not None:
        after_commit(session, partial(announce, job_id))


def _note_use(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _check_alive(
    engine: Engine, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Before each use: the server may have gone and come back. A dead connection is replaced, and all like it."""
    used_at = record.info.get(_USED_AT)  # None: it has just been made
    if used_at is None or time.monotonic() - used_at < _TRUSTED_SECONDS:
        return
    try:
        engine.dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


# How PostgreSQL words a refusal of a connection, which carries no SQLSTATE: what is wrong, in our words.
_REFUSALS = (
    ("password authentication failed", "the user or the password is wrong"),
    ("no password supplied", "it wants a password"),
    ('role "', "there is no such user"),
    ("no pg_hba.conf entry", "its pg_hba.conf does not admit this user from this machine"),
    ('database "', "there is no such database"),
    ("too many connections", "it has too many connections"),
    ("remaining connection slots", "it has too many connections"),
)


def refused_login(error: Exception) -> str | None:
    """What a server that answers says against a connection, in words without names; None for any other error."""
    text = str(getattr(error, "orig", None) or error)
    if "FATAL:" not in text:
        return None
    return next((meaning for words, meaning in _REFUSALS if words in text), None)
