"""From the tables of the previous release, with rows in them and while its processes still work."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.waiting import TIMEOUT, wait_for
from worker.migrate import current, migrate, newest_revision

# The newest revision of the release before this one.
PREVIOUS = "0031"

_ROWS = """
    INSERT INTO whiteboard_sessions (id, host_profile_id, host_profile_type) VALUES (1, 11, 'tutor');
    INSERT INTO whiteboard_session_recordings (id, session_id) SELECT n, 1 FROM generate_series(1, 300) AS n;
    INSERT INTO recording_renditions (recording_id, name, state, object_name)
    SELECT id, 'playback', 'ready', 'videos/' || id || '/Ä/playback.webm' FROM whiteboard_session_recordings;
    INSERT INTO jobs (kind, queue, args) SELECT 'recordings.ingest', 'media', '{}' FROM generate_series(1, 300);
"""
_KEPT = """
    SELECT (SELECT count(*) FROM jobs WHERE kind = 'recordings.ingest'), (SELECT count(id) FROM installation),
           (SELECT md5(string_agg(id || object_name, ' ' ORDER BY id)) FROM recording_renditions
             WHERE name = 'playback')
"""
# What the previous release writes: columns that this one has added are unknown to it.
_WRITES = (
    "INSERT INTO jobs (kind, queue, args) VALUES ('recordings.store_source', 'media', '{}')",
    "UPDATE jobs SET progress_seq = progress_seq + 1 WHERE kind = 'recordings.store_source'",
    "INSERT INTO recording_renditions (recording_id, name) SELECT 1, 'extra' || count(*) FROM recording_renditions",
    "SELECT object_name FROM recording_renditions ORDER BY object_name LIMIT 10",
    "SELECT id FROM installation",
)
_WAITING = """
    SELECT 1 FROM pg_locks
     WHERE NOT granted AND mode = 'AccessExclusiveLock' AND relation = 'installation'::regclass
"""


@pytest.fixture
def previous(empty_database_url: str) -> str:
    """A database of the previous release."""
    migrate(empty_database_url, PREVIOUS)
    with psycopg.connect(empty_database_url) as connection:
        connection.execute(_ROWS)
    return empty_database_url


def rows(url: str, statement: str) -> list[tuple[Any, ...]]:
    with psycopg.connect(url) as connection:
        return connection.execute(statement).fetchall()


def test_the_previous_release_works_before_during_and_after(previous: str) -> None:
    kept = rows(previous, _KEPT)
    first, over = threading.Event(), threading.Event()

    def work() -> int:
        rounds = 0
        # As the processes of a release connect (worker/database.py).
        with psycopg.connect(previous, autocommit=True, options="-c lock_timeout=5000") as connection:
            while True:
                last = over.is_set()
                for statement in _WRITES:
                    connection.execute(statement)
                rounds += 1
                first.set()
                if last:
                    return rounds

    with ThreadPoolExecutor(1) as pool:
        working = pool.submit(work)
        try:
            assert first.wait(TIMEOUT)
            assert migrate(previous) == newest_revision()
        finally:
            over.set()
        rounds = working.result(TIMEOUT)

    assert rows(previous, _KEPT) == kept
    written = "SELECT count(*) FROM {} WHERE {}"
    assert rows(previous, written.format("jobs", "kind = 'recordings.store_source'")) == [(rounds,)]
    assert rows(previous, written.format("recording_renditions", "name LIKE 'extra%'")) == [(rounds,)]


def test_nobody_waits_behind_a_revision_that_waits(previous: str) -> None:
    """A transaction that has read the table that revision 0035 changes stays open."""
    with ThreadPoolExecutor(1) as pool, psycopg.connect(previous) as long:
        long.execute("SELECT id FROM installation")
        migrating = pool.submit(migrate, previous)
        with psycopg.connect(previous, autocommit=True) as other:
            wait_for(lambda: other.execute(_WAITING).fetchone(), pause=0.001)
            # Behind the waiting revision, which gives up: the long transaction is still open.
            assert other.execute("SELECT id FROM installation").fetchone()
        assert not migrating.done()
        assert current(previous) == "0034"
        long.commit()
        assert migrating.result(TIMEOUT) == newest_revision()


def test_what_a_failed_try_has_left_is_replaced(previous: str) -> None:
    """An index that was being built when the migrator was killed stays there and is not valid."""
    migrate(previous, "0033")
    with psycopg.connect(previous, autocommit=True) as connection:
        connection.execute("CREATE INDEX ix_recording_renditions_object_name ON recording_renditions (object_name)")
    assert migrate(previous) == newest_revision()
