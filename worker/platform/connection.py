"""One connection to the platform's database: read-only, every wait bounded, an outage paid for by one caller.

The platform's server may be stopped, restarted or frozen (it accepts connections and never answers), so the deadline is
enforced on this side; a frozen server would not enforce `statement_timeout`.
"""

import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any, LiteralString, TypeVar

import psycopg
from psycopg.abc import PQGen
from psycopg.rows import namedtuple_row
from psycopg.sql import Composed

from worker.errors import Unavailable
from worker.logs import get_logger
from worker.platform.loaders import register_loaders

_log = get_logger(__name__)

_T = TypeVar("_T")
_OPTIONS = (
    "-c default_transaction_read_only=on -c statement_timeout=10000 -c lock_timeout=2000"
    " -c idle_in_transaction_session_timeout=10000 -c application_name=astegni-worker"
    # The server's processors belong to the platform: no statement may use more than one.
    " -c max_parallel_workers_per_gather=0"
)
# The minimum of libpq.
_CONNECT_SECONDS = 2
_PROBE_SECONDS = 2.0

Row = Any


class StatementRejected(Unavailable):
    """The platform's server rejects a statement: a table or column was changed there, or a right was revoked.

    `reason` is the server's, where it cannot contain values of rows.
    """

    def __init__(self, error: psycopg.Error) -> None:
        # These messages name tables, columns and types; others may quote values.
        message = error.diag.message_primary if isinstance(error, psycopg.ProgrammingError) else None
        self.reason = message or type(error).__name__
        super().__init__(
            f"The platform's database rejects what is read there: {self.reason}. `astegni platform check` says more.",
            retry_after=60,
        )


class _Connection(psycopg.Connection[Any]):
    """A connection each of whose statements ends by `deadline` (`time.monotonic()`), whatever the server does."""

    deadline: float | None = None

    def wait(self, gen: PQGen[_T], interval: float = 0.1, timeout: float | None = None) -> _T:
        if self.deadline is not None:
            timeout = max(0.001, self.deadline - time.monotonic())
        return super().wait(gen, interval, timeout=timeout)


class PlatformConnection:
    """Reads rows, one statement at a time. Thread-safe; connects on first use.

    After a failure every read fails at once until a background thread has reached the server again, so that an outage
    makes one caller wait, not all of them.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._lock = threading.Lock()
        self._connection: _Connection | None = None
        self._probe: threading.Thread | None = None
        self._closed = threading.Event()

    @property
    def is_away(self) -> bool:
        """Whether the last attempt failed and no later one has succeeded."""
        return self._probe is not None

    def rows(
        self, sql: LiteralString | Composed, values: Mapping[str, Any] | None = None, *, seconds: float = 3.0
    ) -> Sequence[Row]:
        """The rows of a SELECT, with their columns as attributes; takes at most about `seconds`.

        Raises Unavailable when the server does not answer, and StatementRejected.
        """
        if self.is_away:
            raise _away()
        deadline = time.monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise _away()
        try:
            if self.is_away:
                raise _away()
            return self._run(sql, values, deadline)
        except (psycopg.OperationalError, psycopg.InterfaceError) as error:
            _log.warning("platform_away", error=type(error).__name__)
            self._start_probe()
            raise _away() from error
        except psycopg.Error as error:
            _log.error("platform_statement_rejected", error=type(error).__name__, sqlstate=error.sqlstate)
            raise StatementRejected(error) from error
        finally:
            self._lock.release()

    def close(self) -> None:
        """Close the connection and stop waiting for the server."""
        self._closed.set()
        self._drop()

    def _run(self, sql: LiteralString | Composed, values: Mapping[str, Any] | None, deadline: float) -> Sequence[Row]:
        reused = self._connection is not None
        try:
            return self._execute(sql, values, deadline)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self._drop()
            # A connection from before a restart fails once; the deadline is not extended for the second attempt.
            if not reused or time.monotonic() >= deadline:
                raise
        try:
            return self._execute(sql, values, deadline)
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self._drop()
            raise

    def _execute(
        self, sql: LiteralString | Composed, values: Mapping[str, Any] | None, deadline: float
    ) -> Sequence[Row]:
        if self._connection is None:
            # psycopg bounds the time to connect by `connect_timeout`.
            self._connection = self._connect()
        self._connection.deadline = deadline
        return self._connection.execute(sql, values).fetchall()

    def _connect(self) -> _Connection:
        # Keepalives, since a firewall may silently drop an idle connection.
        connection = _Connection.connect(
            self._url,
            autocommit=True,
            row_factory=namedtuple_row,
            connect_timeout=_CONNECT_SECONDS,
            options=_OPTIONS,
            keepalives_idle=30,
            keepalives_interval=10,
            keepalives_count=3,
        )
        register_loaders(connection)
        return connection

    def _drop(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(psycopg.Error):
                connection.pgconn.finish()

    def _start_probe(self) -> None:
        if self._probe is None and not self._closed.is_set():
            self._probe = threading.Thread(target=self._probe_until_back, name="platform-probe", daemon=True)
            self._probe.start()

    def _probe_until_back(self) -> None:
        while not self._closed.wait(_PROBE_SECONDS):
            with self._lock, suppress(psycopg.Error):
                self._execute("SELECT 1", None, time.monotonic() + _CONNECT_SECONDS)
                _log.info("platform_back")
                break
            self._drop()
        self._probe = None


def _away() -> Unavailable:
    return Unavailable("The platform's database does not answer now; try again.", retry_after=5)
