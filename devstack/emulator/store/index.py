"""The index in one SQLite file: buckets, keys, file versions and their parts."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SCHEMA = """
create table if not exists buckets (
    id text primary key,
    name text not null unique collate nocase,
    type text not null,
    info text not null,
    cors_rules text not null,
    lifecycle_rules text not null,
    encryption text not null,
    revision integer not null
);
create table if not exists keys (
    id text primary key,
    secret_digest text not null,
    name text not null,
    capabilities text not null,
    bucket_ids text,
    name_prefix text,
    expires_at real
);
create table if not exists versions (
    sequence integer primary key autoincrement,
    id text not null unique,
    bucket_id text not null references buckets(id),
    name text not null,
    action text not null check (action in ('start', 'upload', 'hide')),
    content_type text,
    content_sha1 text,
    size integer not null,
    info text not null,
    encryption text not null,
    uploaded_at integer not null
);
create index if not exists versions_by_name on versions(bucket_id, name, uploaded_at desc, sequence desc);
create table if not exists parts (
    version_id text not null references versions(id) on delete cascade,
    number integer not null,
    size integer not null,
    sha1 text not null,
    blob text not null unique,
    uploaded_at integer not null,
    primary key (version_id, number)
);
"""


class Index:
    """One connection with one lock: calls are short, and SQLite has a single writer."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.execute("pragma journal_mode = wal")
        # NORMAL could lose the last commits when the machine (not only the process) fails.
        self._connection.execute("pragma synchronous = full")
        self._connection.execute("pragma foreign_keys = on")
        self._connection.executescript(_SCHEMA)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """A transaction: committed at the end of the block, rolled back when it raises."""
        with self._lock:
            self._connection.execute("begin immediate")
            try:
                yield self._connection
                self._connection.execute("commit")
            except BaseException:
                # A full disk can fail the commit itself; SQLite may have rolled back already.
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    def close(self) -> None:
        """Checkpoint the write-ahead log into the file and close it."""
        with self._lock:
            self._connection.close()
