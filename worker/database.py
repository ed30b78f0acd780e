"""Connections and transactions: the caller commits once, and the `after_commit` calls follow."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache, partial
from typing import Any

import psycopg
from psycopg.pq import TransactionStatus
from psycopg.rows import namedtuple_row
from sqlalchemy import URL, Engine, TextClause, create_engine, event
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, InterfaceError, InvalidatePoolError, OperationalError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry, PoolProxiedConnection

# Wherever there is a database, all tables are imported: a foreign key needs the table it references.
from models.metadata import metadata as _metadata  # noqa: F401
from worker.after_commit import Announce, pending_calls

# A hanging connection must not block its process: every wait has a timeout.
_CONNECT_ARGS = {
    "connect_timeout": 5,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "tcp_user_timeout": 20_000,
    # A standby, or a server that is read-only because its disk is full, is an outage. Otherwise each write would be an
    # error of its own, while whatever only reads looks healthy.
    "target_session_attrs": "read-write",
    # jit=off: among millions of rows a short statement looks expensive enough to compile, and compiling takes longer
    # than running it.
    "options": "-c statement_timeout=30000 -c lock_timeout=5000"
    " -c idle_in_transaction_session_timeout=60000 -c timezone=UTC -c jit=off",
}

# A connection used within these seconds is not checked before use: the check costs as much as a statement.
_TRUSTED_SECONDS = 0.2
_USED_AT = "used_at"

# Raised while the database is unavailable or overloaded: a retry may succeed.
DATABASE_UNAVAILABLE = (OperationalError, InterfaceError, PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError)
# Everything that `transaction` and `statement` themselves raise: errors of SQLAlchemy and psycopg.
DATABASE_ERRORS = (SQLAlchemyError, psycopg.Error)


class Database:
    """The engine of one process and its transactions.

    Create it after a fork, never before: two processes sharing a connection would read each other's responses.
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
            # Reuse the connection that was used last: the others may stay idle, and an idle one is checked before use.
            pool_use_lifo=True,
            # Error messages must not repeat values, which are people's private texts.
            hide_parameters=True,
            connect_args=dict[str, Any](_CONNECT_ARGS),
        )
        event.listen(self.engine, "checkin", _note_use)
        event.listen(self.engine, "checkout", partial(_check_alive, self.engine))

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session that commits at the end of the block, or rolls back; after a commit the `after_commit` calls run.

        They run after the block and not from SQLAlchemy's `after_commit` event, which also fires when a
        SAVEPOINT is released. An error in one of them cannot undo the commit, so they must not raise.
        """
        with Session(self.engine, expire_on_commit=False, info={"announce": self._announce}) as session:
            with session.begin():
                yield session
            for call in pending_calls(session):
                call()

    @contextmanager
    def statement(self) -> Iterator["Statement"]:
        """A pooled connection in autocommit mode, for a single statement: one round trip instead of three.

        `after_commit` and `announce_after_commit` do not work here, only in `transaction`. Errors are psycopg's.
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
                # Broken, or a time limit's signal interrupted the wait for its response: it must not be reused.
                pooled.invalidate()
            pooled.close()

    def close(self) -> None:
        """Close every pooled connection."""
        self.engine.dispose()


class Statement:
    """Executes SQL without the overhead of a session, which costs more than the statement itself."""

    def __init__(self, connection: psycopg.Connection[Any]) -> None:
        self._connection = connection

    def execute(self, sql: TextClause, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
        """Execute the statement; rows have their columns as attributes."""
        return self._connection.cursor(row_factory=namedtuple_row).execute(_as_psycopg(sql), values)


def execute_in(session: Session, sql: TextClause, values: Mapping[str, Any]) -> psycopg.Cursor[Any]:
    """Execute the statement as a `Statement` does, in the session's transaction. Errors are SQLAlchemy's."""
    connection: psycopg.Connection[Any] = session.connection().connection.driver_connection  # type: ignore[assignment]
    with errors_of_sqlalchemy(session):
        return Statement(connection).execute(sql, values)


@contextmanager
def errors_of_sqlalchemy(session: Session) -> Iterator[None]:
    """Raise psycopg's errors as those of SQLAlchemy, as every other statement of the session does."""
    try:
        yield
    except psycopg.Error as error:
        raise DBAPIError.instance(
            "", None, error, psycopg.Error, hide_parameters=True, dialect=session.get_bind().dialect
        ) from error


# What the ledger's SQL runs on: a transaction, or a single statement in autocommit mode.
Executor = Session | Statement


@cache
def _as_psycopg(sql: TextClause) -> bytes:
    dialect = PGDialect_psycopg()  # type: ignore[no-untyped-call]  # SQLAlchemy leaves it untyped
    return str(sql.compile(dialect=dialect)).encode()


def _note_use(_connection: DBAPIConnection | None, record: ConnectionPoolEntry) -> None:
    record.info[_USED_AT] = time.monotonic()


def _check_alive(
    engine: Engine, connection: DBAPIConnection, record: ConnectionPoolEntry, _proxy: PoolProxiedConnection
) -> None:
    """Check a connection before use, since the server may have restarted, or be read-only now.

    One that cannot be used invalidates the whole pool.
    """
    if _is_read_only(record.driver_connection):
        raise InvalidatePoolError
    used_at = record.info.get(_USED_AT)  # None: a new connection
    if used_at is None or time.monotonic() - used_at < _TRUSTED_SECONDS:
        return
    try:
        engine.dialect.do_ping(connection)
    except psycopg.Error as error:
        raise InvalidatePoolError from error


def _is_read_only(connection: Any) -> bool:
    """What the server reported with its last response, as when it became read-only because its disk is full."""
    return bool(connection.pgconn.parameter_status(b"default_transaction_read_only") == b"on")
