"""A restored dump compared with today's bucket: losses are reported, and what B2 has is recovered."""

import contextlib
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from devstack.programs import postgres_programs
from tests.conftest import Sql
from tests.statements import run_statement
from tests.workflows.conftest import TIMING, Put, RecordingFixture, Versions
from worker import clock
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.order import Order
from worker.jobs.orders.recording_orders import IngestRecording, RemoveRecordingFiles, RestoreRecording, StoreSource
from worker.jobs.orders.routine_orders import SweepObjects, SweepSpool
from worker.jobs.runs.cancel import cancel_job
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.recordings.ingest.extend import extend_recording
from worker.recordings.ingest.register import NewRecording
from worker.settings import Settings
from worker.storage.restores import resume_sweeps
from worker.workflows.context import WorkerContext
from worker.workflows.operations.adopt_recordings import Adoption, adopt_recordings
from worker.workflows.operations.check_backup import find_gaps, why_sweeps_wait
from worker.workflows.operations.sweep import sweep_objects
from worker.workflows.recordings.delete_recording import delete_recording
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.ingest_recording import ingest_recording
from worker.workflows.recordings.remove_files import remove_recording_files
from worker.workflows.recordings.restore_recording import restore_recording
from worker.workflows.recordings.store_source import store_source
from worker.workflows.uploads.sweep_spool import sweep_spool

WORK: dict[type[Order], Any] = {
    IngestRecording: ingest_recording,
    RemoveRecordingFiles: remove_recording_files,
    RestoreRecording: restore_recording,
    StoreSource: store_source,
    SweepObjects: lambda run, _order, context: sweep_objects(run, context),
    SweepSpool: lambda run, _order, context: sweep_spool(run, context),
}


class RestoredDatabase:
    """Yesterday's database, and its jobs as a worker of today performs them."""

    def __init__(self, url: str, today: WorkerContext) -> None:
        settings = today.settings.model_copy(update={"database_url": url, "orphan_age": 0})
        self.database = Database(Settings(database_url=url).sqlalchemy_url)
        self.context = WorkerContext(settings, self.database)

    def sql(self, statement: str, **values: Any) -> list[Any]:
        return run_statement(self.database, statement, **values)

    def perform(self, order: Order) -> Any:
        with self.database.transaction() as session:
            job_id = enqueue(session, order)
        return self.run(job_id)

    def run(self, job_id: Any) -> Any:
        """The row of a job after one run."""
        with contextlib.suppress(JobNotDone):
            Performer(self.database, "test", TIMING, 0.01, FAILURE_HOOKS).perform(
                job_id, lambda run, order: WORK[type(order)](run, order, self.context)
            )
        return self.sql("SELECT * FROM jobs WHERE id = :id", id=job_id)[0]

    def adopt(self, *, dry_run: bool = False) -> list[Adoption]:
        adopted = adopt_recordings(
            self.context.store, self.database, (), spool_id="shared", by="cli:maria", dry_run=dry_run
        )
        return [*adopted]


def dump(url: str, path: Path) -> None:
    subprocess.run([postgres_programs() / "pg_dump", "--format=custom", f"--file={path}", url], check=True)


def restore(path: Path, url: str) -> None:
    # Its status is 1 where an older server lacks a setting that this pg_restore knows.
    subprocess.run(
        [postgres_programs() / "pg_restore", "--no-owner", f"--dbname={url}", path], check=False, capture_output=True
    )


OpenRestored = Callable[[], RestoredDatabase]


@pytest.fixture
def open_restored(context: WorkerContext, empty_database_url: str, tmp_path: Path) -> Iterator[OpenRestored]:
    """`open_restored()`: the database that is restored from the file `dump`."""
    with contextlib.ExitStack() as opened:

        def restore_and_open() -> RestoredDatabase:
            restore(tmp_path / "dump", empty_database_url)
            restored = RestoredDatabase(empty_database_url, context)
            opened.callback(restored.database.close)
            return restored

        yield restore_and_open


@pytest.fixture
def recorded(recordings: RecordingFixture, sample: bytes) -> dict[str, int]:
    """Recordings on B2: one that stays, one that is deleted today; then the sweep marks the bucket."""
    ids = {}
    for name, content in (("kept", sample), ("deleted", sample + b"\0")):
        ids[name] = recordings.arrive(content)
        recordings.perform(IngestRecording, ids[name])
        recordings.perform(StoreSource, ids[name])
    return ids


@pytest.fixture
def restored(
    recordings: RecordingFixture,
    context: WorkerContext,
    recorded: dict[str, int],
    sample: bytes,
    database_url: str,
    open_restored: OpenRestored,
    tmp_path: Path,
) -> RestoredDatabase:
    """The dump was made yesterday; since then a recording came and one was deleted."""
    assert why_sweeps_wait(context.database) is None
    dump(database_url, tmp_path / "dump")
    recorded["new"] = recordings.arrive(sample + b"\0\0")
    recordings.perform(IngestRecording, recorded["new"])
    recordings.perform(StoreSource, recorded["new"])
    with context.database.transaction() as session:
        delete_recording(session, recorded["deleted"], principal="user:1")
    recordings.perform(RemoveRecordingFiles, recorded["deleted"])
    return open_restored()


def test_what_was_lost_is_named_and_what_b2_has_is_found_again(
    restored: RestoredDatabase, recorded: dict[str, int], versions: Versions
) -> None:
    objects = sorted(versions())
    gaps = {gap.recording_id: gap for gap in find_gaps(restored.context.store, restored.database, now=clock.now())}
    new, deleted = recorded["new"], recorded["deleted"]
    assert set(gaps) == {new, deleted}
    assert (gaps[deleted].has_row, len(gaps[deleted].missing), gaps[deleted].unnamed) == (True, 2, ())
    assert (gaps[new].has_row, gaps[new].missing, len(gaps[new].unnamed)) == (False, (), 2)

    # Whatever is old enough to be swept is left alone.
    for order in (SweepObjects(), SweepSpool("shared")):
        job = restored.perform(order)
        assert (job.state, job.error["code"]) == ("failed", "sweeps-held")
    assert sorted(versions()) == objects

    (would,) = restored.adopt(dry_run=True)
    assert (would.recording_id, would.error) == (new, None)
    assert restored.sql("SELECT 1 FROM whiteboard_session_recordings WHERE id = :id", id=new) == []
    (adopted,) = restored.adopt()
    assert (adopted.error, restored.adopt()) == (None, [])
    (job,) = restored.sql("SELECT id, principal FROM jobs WHERE kind = 'recordings.restore'")
    assert (restored.run(job.id).state, job.principal) == ("succeeded", "cli:maria")
    (row,) = restored.sql("SELECT * FROM whiteboard_session_recordings WHERE id = :id", id=new)
    assert stat.S_IMODE(restored.context.spool.path(row.spool_name).stat().st_mode) == 0o600
    assert restored.run(row.job_id).state == "succeeded"
    stores = restored.sql("SELECT id FROM jobs WHERE kind = 'recordings.store_source' AND state = 'queued'")
    assert [restored.run(job.id).state for job in stores] == ["succeeded"]
    (row,) = restored.sql("SELECT * FROM whiteboard_session_recordings WHERE id = :id", id=new)
    assert (row.is_available, row.recording_title, row.recorded_by) == (True, None, None)
    # The same bytes have the same names: nothing was uploaded again.
    assert sorted(versions()) == objects

    resume_sweeps(restored.context.store, restored.database)
    assert restored.perform(SweepObjects()).result["objects"] == 0
    assert sorted(versions()) == objects
    # A later recording does not get an id that B2 knows.
    assert restored.sql("SELECT nextval('whiteboard_session_recordings_id_seq')")[0][0] > new


def test_a_lost_recording_whose_id_was_given_away_gets_another(
    restored: RestoredDatabase,
    recorded: dict[str, int],
    recordings: RecordingFixture,
    sample: bytes,
    versions: Versions,
) -> None:
    after = RecordingFixture(restored.context, recordings.session_id, restored.sql)
    assert after.arrive(sample + b"later") == recorded["new"]
    restored.run(after.due(IngestRecording, recorded["new"]))
    restored.run(after.due(StoreSource, recorded["new"]))

    (would,) = restored.adopt(dry_run=True)
    (adopted,) = restored.adopt()
    assert (would.recording_id, would.is_renumbered, adopted.error) == (recorded["new"], True, None)
    assert adopted.plan is not None
    new_id = adopted.plan.recording_id
    assert (new_id > recorded["new"], restored.adopt()) == (True, [])
    # Nothing but B2 has its bytes until the job has run.
    resume_sweeps(restored.context.store, restored.database)
    restored.perform(SweepObjects())
    assert adopted.plan.object_name in [name for name, _ in versions()]
    for order in (RestoreRecording, IngestRecording, StoreSource):
        assert restored.run(after.due(order, new_id)).state == "succeeded"
    assert (after.row(new_id).is_available, after.row(recorded["new"]).is_available) == (True, True)
    restored.perform(SweepObjects())
    assert adopted.plan.object_name not in [name for name, _ in versions()]
    assert restored.adopt() == []


def test_what_an_upload_has_become_after_the_backup_is_found(
    recordings: RecordingFixture,
    context: WorkerContext,
    sample: bytes,
    database_url: str,
    open_restored: OpenRestored,
    tmp_path: Path,
    versions: Versions,
) -> None:
    draft = recordings.arrive(sample)
    recordings.perform(IngestRecording, draft)
    recordings.perform(StoreSource, draft)
    dump(database_url, tmp_path / "dump")
    before = {name for name, _ in versions()}
    with context.spool.receive(limit=10**9) as receiver:
        receiver.write(sample + b"\0")
        whole = receiver.seal()
    new = NewRecording(
        session_id=recordings.session_id,
        title="Lesson",
        type="video",
        recorded_by=1,
        principal="user:1",
        spool_id=context.settings.spool_id,
        spool_name=whole.name,
        size_bytes=whole.size,
        sha1=whole.sha1,
    )
    with context.database.transaction() as session:
        assert extend_recording(session, draft, new).recording_id == draft
    recordings.perform(IngestRecording, draft)
    recordings.perform(StoreSource, draft)
    for name in before:
        context.store.delete(name)
    restored = open_restored()

    (adopted,) = restored.adopt()
    assert (adopted.recording_id, adopted.is_renumbered, adopted.error) == (draft, True, None)
    assert adopted.plan is not None
    after = RecordingFixture(restored.context, recordings.session_id, restored.sql)
    for order in (RestoreRecording, IngestRecording):
        assert restored.run(after.due(order, adopted.plan.recording_id)).state == "succeeded"
    assert (after.row(adopted.plan.recording_id).source_sha1, restored.adopt()) == (whole.sha1, [])


def test_what_an_ended_restore_has_left_on_b2_is_not_swept(
    restored: RestoredDatabase, recorded: dict[str, int], versions: Versions
) -> None:
    (adopted,) = restored.adopt()
    resume_sweeps(restored.context.store, restored.database)
    with restored.database.transaction() as session:
        for job in restored.sql("SELECT id FROM jobs WHERE state = 'queued'"):
            cancel_job(session, FAILURE_HOOKS, job.id)
    restored.perform(SweepObjects())
    restored.perform(RemoveRecordingFiles(recorded["new"], 1, "shared", None))

    assert adopted.plan is not None
    assert adopted.plan.object_name in [name for name, _ in versions()]
    with restored.database.transaction() as session:
        delete_recording(session, recorded["new"], principal="user:1")
    (removal,) = restored.sql("SELECT id FROM jobs WHERE kind = 'recordings.remove_files' AND state = 'queued'")
    restored.run(removal.id)
    assert [name for name, _ in versions() if f"recording_{recorded['new']}/" in name] == []


def test_what_cannot_be_adopted_is_named(restored: RestoredDatabase, recorded: dict[str, int]) -> None:
    restored.sql("UPDATE whiteboard_session_recordings SET session_id = session_id")
    with restored.database.transaction() as session:
        session.execute(text("DELETE FROM whiteboard_session_recordings"))
        session.execute(text("DELETE FROM whiteboard_sessions"))
    refused = restored.adopt()

    assert {adoption.recording_id for adoption in refused} == {recorded["new"], recorded["kept"]}
    assert all("is not in the database" in (adoption.error or "") for adoption in refused)
    assert restored.sql("SELECT 1 FROM whiteboard_session_recordings") == []


@pytest.mark.parametrize("before", [IngestRecording, StoreSource])
def test_a_dump_from_before_a_job_does_not_lose_the_bytes_that_it_moved(
    before: type[Order],
    recordings: RecordingFixture,
    context: WorkerContext,
    sample: bytes,
    database_url: str,
    open_restored: OpenRestored,
    tmp_path: Path,
    versions: Versions,
) -> None:
    recording_id = recordings.arrive(sample)
    for order in (IngestRecording, StoreSource):
        if order is before:
            dump(database_url, tmp_path / "dump")
        recordings.perform(order, recording_id)
    objects = sorted(versions())
    restored = open_restored()

    for kind in (IngestRecording.kind, StoreSource.kind):
        for job in restored.sql("SELECT id FROM jobs WHERE kind = :kind AND state = 'queued'", kind=kind):
            assert restored.run(job.id).state == "succeeded"
    (row,) = restored.sql("SELECT is_available, spool_name FROM whiteboard_session_recordings")
    assert (row.is_available, row.spool_name) == (True, None)
    assert [*find_gaps(restored.context.store, restored.database, now=clock.now())] == []
    resume_sweeps(restored.context.store, restored.database)
    assert restored.perform(SweepObjects()).result["objects"] == 0
    assert (sorted(versions()), recordings.spooled()) == (objects, [])


@pytest.mark.parametrize("removed", [False, True], ids=["removal-waits", "sweeps-held"])
def test_a_recording_that_was_deleted_here_is_not_adopted(
    removed: bool,
    restored: RestoredDatabase,
    recorded: dict[str, int],
    recordings: RecordingFixture,
    versions: Versions,
) -> None:
    """Its objects stay until the job that removes them has run, and while sweeps are held also afterwards."""
    kept, objects = recorded["kept"], sorted(versions())
    with restored.database.transaction() as session:
        delete_recording(session, kept, principal="user:1")
    if removed:
        after = RecordingFixture(restored.context, recordings.session_id, restored.sql)
        removal = restored.run(after.due(RemoveRecordingFiles, kept))
        assert (removal.state, removal.result["objects"]) == ("succeeded", 0)

    errors = {adoption.recording_id: adoption.error or "" for adoption in restored.adopt()}
    assert (set(errors), errors[recorded["new"]]) == ({kept, recorded["new"]}, "")
    assert "was deleted" in errors[kept]
    assert restored.sql("SELECT 1 FROM whiteboard_session_recordings WHERE id = :id", id=kept) == []
    assert sorted(versions()) == objects


def test_a_lost_recording_is_not_adopted_into_a_later_session_of_its_id(
    context: WorkerContext, put: Put, database_url: str, open_restored: OpenRestored, sql: Sql, tmp_path: Path
) -> None:
    """The later session is of other people."""
    assert why_sweeps_wait(context.database) is None
    dump(database_url, tmp_path / "dump")
    make_session = "INSERT INTO whiteboard_sessions DEFAULT VALUES RETURNING id"
    ((lost,),) = sql(make_session)
    put(f"videos/whiteboard/session_{lost}/recording_7/0123456789ab/source.webm")
    restored = open_restored()

    # Before anything has noticed the restore, ids are given again.
    assert restored.sql(make_session) == [(lost,)]
    (refused,) = restored.adopt()
    assert (refused.recording_id, "it is another one" in (refused.error or "")) == (7, True)
    assert restored.sql("SELECT 1 FROM whiteboard_session_recordings") == []

    # From then on none is, though it is noticed again and again.
    for _ in range(2):
        assert why_sweeps_wait(restored.database) is not None
        ((later,),) = restored.sql(make_session)
    assert lost + 1_000_000 < later < lost + 2_000_000
