"""Real recordings whose processes are killed between two steps, or that are deleted during their ingest."""

import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import psycopg
import pytest

from tests.chaos.harness.environment import Environment
from tests.chaos.harness.orphans import media_processes
from tests.chaos.harness.servers import Servers
from tests.chaos.harness.stored_files import named, spooled, stored, sweep
from tests.chaos.harness.workers import alive, children
from tests.forking.forked_process import ForkServer
from tests.waiting import wait_for
from worker.media.processes.binaries import find_binaries
from worker.settings import Settings

# The real ffmpeg, which waits as long as a file is there: a test decides when a running ingest may go on.
_HELD = """#!/bin/sh
while [ -e '{hold}' ]; do sleep 0.05; done
exec '{ffmpeg}' "$@"
"""
# What each step of an upload writes to; a lock on it stops the upload right before that step.
_ROW, _ORDER = "whiteboard_session_recordings", "jobs"


@pytest.fixture
def held(servers: Servers, tmp_path: Path, fork_server: ForkServer) -> Iterator[Environment]:
    """An environment with an API whose ffmpeg waits while the file `hold` is there."""
    name = "chaos_held"
    servers.restore()
    servers.postgres.create_database(name, "chaos_template")
    servers.broker.flush()
    script = tmp_path / "ffmpeg"
    ffmpeg = find_binaries(Settings()).ffmpeg
    script.write_text(_HELD.format(hold=tmp_path / "hold", ffmpeg=ffmpeg))
    script.chmod(0o755)
    with Environment(servers, tmp_path, name, start=fork_server.start, ffmpeg_path=script) as environment:
        environment.start_api()
        yield environment
    servers.postgres.drop_database(name)


@contextmanager
def hold(environment: Environment) -> Iterator[None]:
    """Within the block no ffmpeg gets on."""
    sign = environment.folder / "hold"
    sign.touch()
    try:
        yield
    finally:
        sign.unlink()


def accepted(environment: Environment, session_id: int, clip: str = "h264.webm") -> tuple[int, str]:
    """An upload that was taken: recording and job."""
    response = environment.post_recording(session_id, clip)
    assert response.status_code == 202, response.text
    return response.json()["recording_id"], response.json()["job_id"]


def settled(environment: Environment, recording_id: int) -> dict[str, Any] | None:
    """The recording's row, once no job works on it any more."""
    live = "SELECT 1 FROM jobs WHERE subject = %s AND state NOT IN ('succeeded', 'failed', 'cancelled', 'dead')"
    wait_for(lambda: not environment.watchdog.ask(live, f"recording:{recording_id}"), details=environment.workers.log)
    rows = environment.watchdog.ask("SELECT * FROM whiteboard_session_recordings WHERE id = %s", recording_id)
    return rows[0] if rows else None


def killed_between_storage_and_row(environment: Environment) -> tuple[int, str]:
    """A recording and its job, whose worker died when the lesson was stored and its row did not yet say so."""
    worker = environment.workers.start()
    with psycopg.connect(environment.settings.database_url or "") as hog:
        with hold(environment):
            recording, job = accepted(environment, environment.new_session())
            wait_for(lambda: media_processes(environment.folder), details=environment.workers.log)
            # The run has marked the recording; the lock stops it where it would fill in the row.
            hog.execute("SELECT 1 FROM whiteboard_session_recordings WHERE id = %s FOR UPDATE", [recording])
        wait_for(lambda: any("/playback." in name for name in stored(environment)), details=environment.workers.log)
        environment.workers.forget(worker)
        hog.rollback()
    return recording, job


def test_no_ffmpeg_and_no_child_outlives_a_killed_worker(held: Environment) -> None:
    worker = held.workers.start()
    with hold(held):
        _recording, job = accepted(held, held.new_session())
        running = wait_for(lambda: media_processes(held.folder), details=held.workers.log)
        pool = children(worker.pid)
        assert pool
        assert all(any(parent.pid in pool for parent in process.parents()) for process in running)
        # The process alone, not its group.
        worker.signal(signal.SIGKILL)
        process_ids = [*pool, *(process.pid for process in running)]
        wait_for(lambda: not any(map(alive, process_ids)), details=lambda: str([*map(psutil.Process, process_ids)]))
        held.workers.forget(worker)
    held.workers.start()
    assert held.wait_for(job, "succeeded")["attempt"] == 2
    assert media_processes(held.folder) == []


def test_killed_between_storage_and_row(held: Environment) -> None:
    recording, job = killed_between_storage_and_row(held)
    assert named(held) == set()
    held.workers.start()
    held.wait_for(job, "succeeded")
    row = settled(held, recording)
    assert row is not None
    assert row["is_available"]
    assert row["spool_name"] is None
    sweep(held)
    assert stored(held) == named(held) != set()
    assert spooled(held) == []
    assert held.watchdog.violations() == []


@pytest.mark.parametrize("step", [_ROW, _ORDER])
def test_upload_killed_before_its_row_or_its_order(held: Environment, step: str) -> None:
    """Row and order are one transaction: either step cut off leaves neither, only bytes for the sweep."""
    session_id = held.new_session()
    with psycopg.connect(held.settings.database_url or "") as hog:
        hog.execute(f"LOCK TABLE {step} IN SHARE MODE")
        request: dict[str, Any] = {
            "data": {"session_id": str(session_id)},
            "files": {"file": ("a.webm", b"\x1a\x45\xdf\xa3" * 1000)},
        }
        with ThreadPoolExecutor(1) as pool:
            upload = pool.submit(held.http.post, "/v1/recordings", **request)
            waiting = "SELECT 1 FROM pg_locks WHERE NOT granted AND relation = %s::regclass"
            wait_for(lambda: held.watchdog.ask(waiting, step), details=lambda: str(upload))
            assert held.api is not None
            held.api.kill()
            with pytest.raises(httpx.TransportError):
                upload.result()
        hog.rollback()
    assert held.watchdog.ask("SELECT 1 FROM whiteboard_session_recordings") == []
    assert held.watchdog.ask("SELECT 1 FROM jobs") == []
    assert len(spooled(held)) == 1
    held.start_api()
    held.workers.start()
    recording, job = accepted(held, session_id)
    held.wait_for(job, "succeeded")
    assert settled(held, recording) is not None
    sweep(held)
    assert spooled(held) == []
    assert stored(held) == named(held) != set()


def test_deleted_while_it_is_processed(held: Environment) -> None:
    held.workers.start()
    with hold(held):
        recording, job = accepted(held, held.new_session())
        wait_for(lambda: media_processes(held.folder), details=held.workers.log)
        assert held.http.delete(f"/v1/recordings/{recording}").status_code == 204
    assert held.wait_for(job, "cancelled", "succeeded")["attempt"] == 1
    assert settled(held, recording) is None
    assert stored(held) == set()
    assert spooled(held) == []
    assert held.watchdog.violations() == []


def test_deleted_after_its_objects_were_stored_while_its_worker_dies(held: Environment) -> None:
    recording, job = killed_between_storage_and_row(held)
    assert held.http.delete(f"/v1/recordings/{recording}").status_code == 204
    held.workers.start()
    assert held.wait_for(job, "cancelled")["error"]["code"] == "cancelled"
    assert settled(held, recording) is None
    assert stored(held) == set()
    # What the killed run was writing lies there until the sweep.
    sweep(held)
    assert spooled(held) == []
    assert held.watchdog.violations() == []
