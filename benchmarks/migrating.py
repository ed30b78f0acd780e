"""How long the migrations of a release keep others from their tables, when these have a million rows."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from alembic.script import ScriptDirectory

from benchmarks.harness.figure import Figure, Limit, Reading
from benchmarks.harness.scale import Scale
from benchmarks.material.million import fill_ledger
from devstack.directories import scratch_directory
from devstack.postgres import EmbeddedPostgres
from worker.migrate import migrate
from worker.settings import Settings

# The newest revision of the previous release.
_PREVIOUS = "0031"
_LIMIT = Limit("value", "≤", 5.0)
_LOOK_EVERY = 0.002
_RECORDINGS = """
    INSERT INTO whiteboard_sessions (id, host_profile_id, host_profile_type) VALUES (1, 1, 'tutor');
    INSERT INTO whiteboard_session_recordings (id, session_id) SELECT n, 1 FROM generate_series(1, {rows} / 5) AS n;
    INSERT INTO recording_renditions (recording_id, name, state, object_name, bytes)
    SELECT 1 + n / 5, 'output' || n % 5, 'ready',
           'videos/whiteboard/session_1/recording_' || n / 5 || '/' || left(md5(n::text), 12) || '/play/' || n % 5, n
      FROM generate_series(0, {rows} - 1) AS n;
"""
# Locks that hold up readers or writers, of tables that others know of: those of this transaction are not visible here.
_BLOCKED = """
    SELECT DISTINCT pid, virtualtransaction, relname, extract(epoch FROM now())::float
      FROM pg_locks JOIN pg_class ON pg_class.oid = relation
     WHERE granted AND relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
       AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')
"""


def measure_migrating(scale: Scale) -> Figure:
    """Measure each revision since the previous release on tables full of rows."""
    figure = Figure(
        f"Upgrade: locks of each migration, {scale.table_rows:,} rows in `jobs` and in `recording_renditions`"
    )
    with scratch_directory() as folder, EmbeddedPostgres(folder / "postgres") as server:
        server.create_database("upgraded")
        url = server.url("upgraded")
        address = Settings(database_url=url).sqlalchemy_url
        migrate(address, _PREVIOUS)
        with psycopg.connect(url, autocommit=True) as connection:
            fill_ledger(connection, scale.table_rows)
            connection.execute(_RECORDINGS.format(rows=scale.table_rows))
            connection.execute("VACUUM ANALYZE whiteboard_session_recordings, recording_renditions")
            connection.execute("CHECKPOINT")
        for revision in _revisions():
            with _sampling(url) as held:
                migrate(address, revision)
            table, seconds = max(held.items(), key=lambda item: item[1], default=("no table", 0.0))
            figure.readings.append(Reading(f"{revision}: longest lock ({table})", seconds, "s", limit=_LIMIT))
    figure.notes.append(
        f"Locks that block reading or writing an existing table, sampled every "
        f"{_LOOK_EVERY * 1000:g} ms; a shorter lock may be missed. Nobody else uses the database."
    )
    return figure


def _revisions() -> list[str]:
    """Those of this release, oldest first."""
    scripts = ScriptDirectory("migrations").iterate_revisions("head", _PREVIOUS)
    return [script.revision for script in scripts][::-1]


@contextmanager
def _sampling(url: str) -> Iterator[dict[str, float]]:
    """The longest time for which any transaction was seen to lock each table; complete at the end of the block."""
    held: dict[str, float] = {}
    over = threading.Event()
    thread = threading.Thread(target=_sample, args=(url, held, over))
    thread.start()
    try:
        yield held
    finally:
        over.set()
        thread.join()


def _sample(url: str, held: dict[str, float], over: threading.Event) -> None:
    first: dict[tuple[Any, ...], float] = {}
    with psycopg.connect(url, autocommit=True) as connection:
        while not over.wait(_LOOK_EVERY):
            for *transaction, table, now in connection.execute(_BLOCKED):
                began = first.setdefault((*transaction, table), now)
                held[table] = max(held.get(table, 0.0), now - began)
