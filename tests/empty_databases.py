"""Databases with our tables and no rows: clones of a template that are emptied after a test instead of dropped.

Cloning a database, connecting to it, compiling its statements and dropping it costs 70 ms of CPU, emptying it 5 ms. A
database is reused only when nothing of the last test can remain in it; otherwise it is dropped.
"""

import sys
import threading
import time
from concurrent.futures.thread import _worker
from functools import cached_property
from types import FrameType
from typing import Any, cast

import psycopg
from psycopg import sql
from sqlalchemy import Engine, make_url
from sqlalchemy.pool import QueuePool

from worker.database import Database
from worker.jobs.runs.run_heartbeat import RunHeartbeat

# Deleted rows stay in the files, since nothing vacuums, and slow down each scan of their table.
_MAX_TESTS = 50
# Seconds: threads end shortly after their event loop, backends shortly after their client has closed the connection.
_CLOSING_TIME = 2.0

_TABLES = """
    SELECT nspname, relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE relkind = 'r' AND nspname !~ '^(pg_|information_schema$)' ORDER BY 1, 2
"""
_SEQUENCES = "SELECT seqrelid, seqstart FROM pg_sequence"
# Every DDL statement, and ANALYZE, inserts, updates or deletes a row of one of these.
_CATALOGS = (
    "pg_class",
    "pg_attribute",
    "pg_attrdef",
    "pg_constraint",
    "pg_index",
    "pg_trigger",
    "pg_proc",
    "pg_type",
    "pg_namespace",
    "pg_policy",
    "pg_rewrite",
    "pg_statistic",
    "pg_event_trigger",
    "pg_db_role_setting",
)
_VERSION_OF_CATALOG = "(SELECT concat(count(*), ':', max(xmin::text::bigint)) FROM {})"
_ROWS_OF_TABLE = "(SELECT md5(string_agg(rows::text, ' ' ORDER BY rows::text)) FROM {} AS rows)"
_OTHER_CLIENTS = """
    SELECT 1 FROM pg_stat_activity
    WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> ALL (%s)
"""
# Everything that a session keeps after its transactions.
_RESET_SESSION = "RESET ALL; UNLISTEN *; CLOSE ALL; DISCARD TEMP; SELECT pg_advisory_unlock_all()"


class EmptyDatabase:
    """A database of one test after the other; the connection and the compiled statements of `database` are kept."""

    def __init__(self, url: str, name: str) -> None:
        self.url = url
        self.name = name
        self._tests = 0
        self._threads: set[threading.Thread] = set()
        self._cleaner = _Cleaner(url)

    @cached_property
    def database(self) -> Database:
        """Transactions on it."""
        # Not from `Settings`: to look for fifty variables in the environment takes longer than all else here.
        return Database(make_url(self.url).set(drivername="postgresql+psycopg"))

    def begin_test(self) -> None:
        self._tests += 1
        self._threads = set(threading.enumerate())

    def reset(self) -> bool:
        """Delete the rows and restart the sequences; False when the next test must not use this database."""
        if self._has_leftovers():
            return False
        try:
            return self._cleaner.clean(self._reset_connections())
        except psycopg.Error:
            return False

    def close(self) -> None:
        self.database.close()
        self._cleaner.close()

    def _has_leftovers(self) -> bool:
        """Whether the test left a thread, an open transaction or a listener; also true after many tests."""
        engine = self.database.engine
        return bool(
            self._tests >= _MAX_TESTS or _pool(engine).checkedout() or engine._has_events or self._has_threads()
        )

    def _has_threads(self) -> bool:
        """Whether a thread that the test started is still running; the threads of an event loop end soon after it."""
        deadline = time.monotonic() + _CLOSING_TIME
        while running := [thread for thread in threading.enumerate() if self._is_running(thread)]:
            if time.monotonic() > deadline:
                return True
            running[0].join(0.01)
        return False

    def _is_running(self, thread: threading.Thread) -> bool:
        """Not one of earlier tests, and not idle."""
        frame = sys._current_frames().get(thread.ident or 0)
        return thread not in self._threads and frame is not None and not _is_idle(frame)

    def _reset_connections(self) -> list[int]:
        """Keep one pooled connection, with the state of a new one, or none; returns the process ids of its backend."""
        engine = self.database.engine
        if _pool(engine).checkedin() != 1:
            engine.dispose()
            return []
        pooled = engine.raw_connection()
        connection = cast("psycopg.Connection", pooled.driver_connection)
        connection.autocommit = True
        connection.execute(_RESET_SESSION)
        connection.autocommit = False
        pooled.close()
        return [connection.info.backend_pid]


def _is_idle(frame: FrameType) -> bool:
    """A thread of a pool without work (b2sdk leaves some), or a heartbeat without a run (it ends 15 beats later)."""
    is_heartbeat = frame.f_code is RunHeartbeat._beat.__code__
    return frame.f_code is _worker.__code__ or (is_heartbeat and not frame.f_locals["self"]._runs)


def _pool(engine: Engine) -> QueuePool:
    return cast("QueuePool", engine.pool)


class _Cleaner:
    """A connection that empties its database, and knows what it held when it was new."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        # Deletes rows in any order, also where a trigger forbids it.
        self._connection.execute("SET session_replication_role = replica")
        tables = [sql.Identifier(*names) for names in self._connection.execute(_TABLES)]
        filled = [table for table in tables if self._row(sql.SQL("SELECT 1 FROM {}").format(table))]
        self._create_function([table for table in tables if table not in filled])
        versions = [sql.SQL(_VERSION_OF_CATALOG).format(sql.Identifier(name)) for name in _CATALOGS]
        rows = [sql.SQL(_ROWS_OF_TABLE).format(table) for table in filled]
        self._state = sql.SQL("SELECT {}").format(sql.SQL(", ").join(versions + rows)).as_string()
        self._new = self._row(self._state)

    def clean(self, backends: list[int]) -> bool:
        """Delete the rows; False if definitions or rows of a migration changed, or others than `backends` remain."""
        deadline = time.monotonic() + _CLOSING_TIME
        while self._row(_OTHER_CLIENTS, [[*backends, self._connection.info.backend_pid]]):
            if time.monotonic() > deadline:
                return False
            time.sleep(0.005)
        if self._row(self._state) != self._new:
            return False
        self._connection.execute("SELECT pg_temp.delete_rows()")
        return True

    def close(self) -> None:
        self._connection.close()

    def _create_function(self, tables: list[sql.Identifier]) -> None:
        """A function, because it keeps the plans of its statements; temporary, because no test may find it."""
        deletes = [sql.SQL("DELETE FROM {};").format(table) for table in tables]
        restarts = [
            sql.SQL("PERFORM setval({}::regclass, {}, false);").format(sql.Literal(sequence), sql.Literal(start))
            for sequence, start in self._connection.execute(_SEQUENCES)
        ]
        body = sql.SQL("BEGIN {} END").format(sql.SQL(" ").join(deletes + restarts)).as_string(self._connection)
        self._connection.execute(
            sql.SQL("CREATE FUNCTION pg_temp.delete_rows() RETURNS void LANGUAGE plpgsql AS {}").format(
                sql.Literal(body)
            )
        )

    def _row(self, statement: Any, values: Any = None) -> Any:
        return self._connection.execute(statement, values).fetchone()
