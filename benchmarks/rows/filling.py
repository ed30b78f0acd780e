"""Fill a migrated database with the history of so many jobs, messages and strokes, as fast as PostgreSQL takes rows."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

import psycopg

from benchmarks.material.people import write_people
from benchmarks.rows.history import LARGE, SAMPLES, Contents, contents, pairs_of
from devstack.postgres import EmbeddedPostgres

# WAL of a table that was truncated in the same transaction is not written at this level.
_LOADING = (
    "ALTER SYSTEM SET wal_level = 'minimal'",
    "ALTER SYSTEM SET max_wal_senders = 0",
    "ALTER SYSTEM SET full_page_writes = off",
    "ALTER SYSTEM SET max_wal_size = '8GB'",
    "ALTER SYSTEM SET autovacuum = off",
)
_SESSION = (
    "SET statement_timeout = 0",
    "SET maintenance_work_mem = '512MB'",
    # The rows fit one another; checking that row by row would take longer than loading.
    "SET session_replication_role = 'replica'",
)
# Not ready: rows are not added to it. REINDEX builds it again, as the migrations have defined it.
_INDEXES_OFF = "UPDATE pg_index SET indisready = false WHERE indrelid = ANY(%s::regclass[])"
_SIZE = "SELECT pg_total_relation_size(%s::regclass)"


@contextmanager
def loading(postgres: EmbeddedPostgres) -> Iterator[None]:
    """Within the block the server is set up for loading; durable and logged as usual after it."""
    _restart(postgres, _LOADING)
    yield
    _restart(postgres, ("CHECKPOINT", "ALTER SYSTEM RESET ALL"))


def _restart(postgres: EmbeddedPostgres, statements: tuple[str, ...]) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())
    postgres.stop()
    postgres.start()


def fill_history(url: str, rows: int) -> dict[str, int]:
    """Insert `rows` jobs, deliveries and strokes with what they belong to; the bytes of each table with its indexes."""
    with psycopg.connect(url, autocommit=True) as connection:
        write_people(connection, pairs_of(rows))
    # Each group at the same time as the others: an INSERT uses one core.
    groups = contents(rows)
    with ThreadPoolExecutor(len(groups)) as pool:
        sizes = pool.map(partial(_fill_group, url), groups)
        return {table: size for group in sizes for table, size in group.items()}


def _fill_group(url: str, group: list[Contents]) -> dict[str, int]:
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in _SESSION:
            connection.execute(statement.encode())
        _load(connection, group)
        return {table: _finish(connection, table) for table in _tables(group)}


def _load(connection: psycopg.Connection[Any], group: list[Contents]) -> None:
    tables = _tables(group)
    with connection.transaction():
        connection.execute("CREATE TEMPORARY TABLE samples (number integer PRIMARY KEY, data jsonb)")
        connection.cursor().executemany("INSERT INTO samples VALUES (%s, %s)", SAMPLES)
        # No WAL is written for a table that the same transaction has truncated. Recordings refer to jobs: none yet.
        connection.execute(f"TRUNCATE {', '.join(table for table in tables if table in LARGE)} CASCADE".encode())
        connection.execute(_INDEXES_OFF, [tables])
        for content in group:
            began = time.perf_counter()
            connection.execute(f"INSERT INTO {content.table} ({content.columns}) {content.select}".encode())
            print(f"  {content.rows:,} rows of {content.table}: {time.perf_counter() - began:.0f} s", flush=True)


def _tables(group: list[Contents]) -> list[str]:
    return list(dict.fromkeys(content.table for content in group))


def _finish(connection: psycopg.Connection[Any], table: str) -> int:
    began = time.perf_counter()
    connection.execute(f"REINDEX TABLE {table}".encode())
    connection.execute(f"VACUUM (FREEZE, ANALYZE) {table}".encode())
    _follow(connection, table)
    print(f"  indexes of {table}: {time.perf_counter() - began:.0f} s", flush=True)
    (size,) = connection.execute(_SIZE, [table]).fetchone() or (0,)
    return int(size)


def _follow(connection: psycopg.Connection[Any], table: str) -> None:
    """Let the sequence of the ids go on after the rows that came with ids."""
    sequence = connection.execute(
        "SELECT pg_get_serial_sequence(%s, attname) FROM pg_attribute WHERE attrelid = %s::regclass AND attname = 'id'",
        [table, table],
    ).fetchone()
    if sequence and sequence[0]:
        connection.execute(f"SELECT setval('{sequence[0]}', (SELECT max(id) FROM {table}))".encode())  # noqa: S608
