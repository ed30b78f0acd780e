"""Sweeps: what no row names is deleted, what a row names or what is too young stays."""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.workflows.conftest import Put, RecordingFixture, Versions
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording, RemoveRecordingFiles, StoreSource
from worker.jobs.orders.routine_orders import PruneLedger, SweepObjects, SweepSpool
from worker.jobs.runs.cancel import cancel_job
from worker.jobs.runs.perform import Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.reminders.prune_notifications import prune_notifications
from worker.workflows.context import WorkerContext
from worker.workflows.operations import sweep
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.retry_recording import retry_recording
from worker.workflows.uploads.sweep_spool import sweep_spool

DAY = 86_400


RunSweep = Callable[..., Any]


@pytest.fixture
def run_sweep(recordings: RecordingFixture, context: WorkerContext) -> RunSweep:
    """`run_sweep(sweep_spool, SweepSpool("shared"), orphan_age=…)`: the result of that job."""

    def run(work: Any, order: Any, **changes: Any) -> Any:
        with context.database.transaction() as session:
            job_id = enqueue(session, order)
        mine = WorkerContext(context.settings.model_copy(update=changes), context.database)
        performer = Performer(context.database, "test", LeaseTiming(30, 10, 0.1), 0.01, FAILURE_HOOKS)
        performer.perform(job_id, lambda job, _order: work(job, mine))
        job = recordings.job(job_id)
        assert job.state == "succeeded", job.error
        return job.result

    return run


def names(versions: Versions) -> list[str]:
    return sorted(name for name, _ in versions())


def grow_old(recordings: RecordingFixture, seconds: float) -> None:
    for path in recordings.context.settings.spool_dir.rglob("*"):
        then = time.time() - seconds
        os.utime(path, (then, then))


class TestObjects:
    """`upkeep.sweep_objects`."""

    def test_what_a_row_names_stays_and_the_rest_goes(
        self, recordings: RecordingFixture, run_sweep: RunSweep, put: Put, versions: Versions, sample: bytes
    ) -> None:
        recording_id = recordings.arrive(sample)
        recordings.perform(IngestRecording, recording_id)
        recordings.perform(StoreSource, recording_id)
        named = names(versions)
        assert len(named) == 2
        prefix = f"videos/whiteboard/session_{recordings.session_id}"
        # Beside a living recording, below one that is gone, and of a form that is not of our making.
        put(f"{prefix}/recording_{recording_id}/old/play/playback.webm")
        put(f"{prefix}/recording_{recording_id}0/0123/play/playback.webm")
        foreign = [put("videos/whiteboard/notes.txt"), put("videos/whiteboard/a/recording_x/b"), put("videos/else/1")]

        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=0) == {
            "objects": 2,
            "unfinished": 0,
            "forgotten": 0,
        }

        assert names(versions) == sorted([*named, *foreign])
        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=0)["objects"] == 0

    def test_what_is_too_young_stays(self, run_sweep: RunSweep, put: Put, versions: Versions) -> None:
        put("videos/whiteboard/session_1/recording_1/0123/play/playback.webm")

        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=3600)["objects"] == 0
        assert len(versions()) == 1

    def test_large_files_that_nobody_finished_go(
        self, context: WorkerContext, run_sweep: RunSweep, versions: Versions
    ) -> None:
        bucket = context.store._account.bucket()
        for name in ("videos/whiteboard/session_1/recording_1/0123/source.webm", "videos/else/1"):
            bucket.api.session.start_large_file(bucket.id_, name, "video/webm", {})

        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=3600)["unfinished"] == 0
        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=0) == {
            "objects": 0,
            "unfinished": 1,
            "forgotten": 0,
        }
        assert names(versions) == ["videos/else/1"]

    def test_a_recording_that_is_worked_on_keeps_everything(
        self, recordings: RecordingFixture, run_sweep: RunSweep, put: Put, versions: Versions, sample: bytes
    ) -> None:
        recording_id = recordings.arrive(sample)
        run = recordings.begin(IngestRecording, recording_id)
        put(f"videos/whiteboard/session_1/recording_{recording_id}/0123/play/playback.webm")

        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=0)["objects"] == 0
        assert len(versions()) == 1
        recordings.lose(run)

    def test_an_object_whose_row_is_gone_goes(
        self, recordings: RecordingFixture, run_sweep: RunSweep, versions: Versions, sample: bytes
    ) -> None:
        recording_id = recordings.arrive(sample)
        recordings.perform(IngestRecording, recording_id)
        recordings.perform(StoreSource, recording_id)
        assert len(versions()) == 2
        recordings.sql("DELETE FROM recording_renditions WHERE name = 'source'")

        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=0)["objects"] == 1
        assert [name.rsplit("/", 1)[1] for name in names(versions)] == ["playback.webm"]

    def test_uploaded_bytes_past_their_days_go_where_the_lesson_plays(
        self, recordings: RecordingFixture, run_sweep: RunSweep, versions: Versions, sample: bytes
    ) -> None:
        recording_id = recordings.arrive(sample)
        recordings.perform(IngestRecording, recording_id)
        recordings.perform(StoreSource, recording_id)

        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=0, keep_source_days=2)["objects"] == 0
        recordings.sql("UPDATE recording_renditions SET updated_at = now() - interval '3 days'")
        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=0)["objects"] == 0
        assert run_sweep(sweep.sweep_objects, SweepObjects(), orphan_age=0, keep_source_days=2)["objects"] == 1
        assert [name.rsplit("/", 1)[1] for name in names(versions)] == ["playback.webm"]
        assert recordings.rendition(recording_id, "source") is None


class TestSpool:
    """`upkeep.sweep_spool`."""

    def test_files_that_no_row_names_and_debris_go(
        self, recordings: RecordingFixture, context: WorkerContext, run_sweep: RunSweep, sample: bytes
    ) -> None:
        spool_name = recordings.row(recordings.arrive(sample)).spool_name
        orphan = recordings.arrive(b"orphan")
        recordings.sql("DELETE FROM whiteboard_session_recordings WHERE id = :id", id=orphan)
        folder = context.settings.spool_dir
        (folder / ("f" * 32 + ".part")).write_bytes(b"half")
        (folder / "work" / "tmp1").mkdir(parents=True)
        grow_old(recordings, 2 * DAY)

        counts = run_sweep(sweep_spool, SweepSpool("shared"), orphan_age=DAY)

        assert counts == {"files": 1, "debris": 2}
        assert recordings.spooled() == [spool_name]

    def test_what_is_young_stays(
        self, recordings: RecordingFixture, context: WorkerContext, run_sweep: RunSweep
    ) -> None:
        recording_id = recordings.arrive(b"just sealed, not yet registered")
        recordings.sql("DELETE FROM whiteboard_session_recordings WHERE id = :id", id=recording_id)
        (context.settings.spool_dir / ("f" * 32 + ".part")).write_bytes(b"half")

        assert run_sweep(sweep_spool, SweepSpool("shared"), orphan_age=DAY) == {"files": 0, "debris": 0}
        assert len(recordings.spooled()) == 2

    def test_bytes_of_an_unfinished_ingest_are_kept_for_their_time(
        self, recordings: RecordingFixture, run_sweep: RunSweep, sample: bytes
    ) -> None:
        recording_id = recordings.arrive(sample)
        recordings.sql("UPDATE jobs SET max_attempts = 1")
        recordings.lose(recordings.begin(IngestRecording, recording_id))
        assert recordings.row(recording_id).is_processing is False
        grow_old(recordings, 30 * DAY)
        before = "UPDATE whiteboard_session_recordings SET updated_at = now() - interval '6 days 23 hours'"
        after = "UPDATE whiteboard_session_recordings SET updated_at = now() - interval '7 days 1 hour'"

        recordings.sql(before)
        assert run_sweep(sweep_spool, SweepSpool("shared"))["files"] == 0
        assert recordings.spooled() == [recordings.row(recording_id).spool_name]
        recordings.sql(after)
        assert len(retry_recording(recordings.database, recording_id, by="cli:maria")) == 1
        assert run_sweep(sweep_spool, SweepSpool("shared"))["files"] == 0
        with recordings.database.transaction() as session:
            cancel_job(session, {}, recordings.row(recording_id).job_id)
        assert run_sweep(sweep_spool, SweepSpool("shared"))["files"] == 1
        assert (recordings.spooled(), recordings.row(recording_id).spool_name) == ([], None)

    @pytest.mark.parametrize("state", ["waiting", "playable, source not yet stored", "of another spool"])
    def test_bytes_that_somebody_waits_for_are_kept_however_old(
        self, recordings: RecordingFixture, run_sweep: RunSweep, sample: bytes, state: str
    ) -> None:
        recording_id = recordings.arrive(sample)
        if state.startswith("playable"):
            recordings.perform(IngestRecording, recording_id)
        if state.startswith("of another"):
            recordings.sql(
                "UPDATE whiteboard_session_recordings SET spool_id = 'elsewhere', is_processing = false, error = '{}'"
            )
        recordings.sql("UPDATE whiteboard_session_recordings SET updated_at = now() - interval '1 year'")
        grow_old(recordings, 400 * DAY)

        assert run_sweep(sweep_spool, SweepSpool("shared"))["files"] == 0
        assert recordings.spooled() == [recordings.row(recording_id).spool_name]


class TestRemoval:
    """`recordings.remove_files`."""

    def test_it_waits_for_live_jobs(
        self, recordings: RecordingFixture, put: Put, versions: Versions, sample: bytes
    ) -> None:
        recording_id = recordings.arrive(sample)
        prefix = f"videos/whiteboard/session_{recordings.session_id}/recording_{recording_id}/0123/play/"
        put(f"{prefix}playback.webm")
        run = recordings.begin(IngestRecording, recording_id)
        with recordings.database.transaction() as session:
            enqueue(session, RemoveRecordingFiles(recording_id, recordings.session_id, "shared", None))

        job = recordings.perform(RemoveRecordingFiles, recording_id)
        assert (job.state, job.error["code"]) == ("retryable", "still-busy")
        assert len(versions()) == 1
        recordings.sql("UPDATE jobs SET max_attempts = 1 WHERE id = :id", id=run.claim.job_id)
        recordings.lose(run)
        assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
        assert versions() == []

    def test_neighbours_keep_theirs(self, recordings: RecordingFixture, put: Put, versions: Versions) -> None:
        neighbours = [
            put("videos/whiteboard/session_1/recording_10/0123/source.webm"),
            put("videos/whiteboard/session_11/recording_1/0123/source.webm"),
        ]
        put("videos/whiteboard/session_1/recording_1/0123/source.webm")
        with recordings.database.transaction() as session:
            enqueue(session, RemoveRecordingFiles(1, 1, "shared", None))

        job = recordings.perform(RemoveRecordingFiles, 1)

        assert (job.state, job.result) == ("succeeded", {"objects": 1})
        assert names(versions) == sorted(neighbours)

    def test_a_playable_recordings_objects_stay(
        self, recordings: RecordingFixture, put: Put, versions: Versions, sample: bytes
    ) -> None:
        recording_id = recordings.arrive(sample)
        recordings.perform(IngestRecording, recording_id)
        recordings.perform(StoreSource, recording_id)
        named = names(versions)
        put(f"videos/whiteboard/session_{recordings.session_id}/recording_{recording_id}/old/play/playback.webm")
        with recordings.database.transaction() as session:
            enqueue(session, RemoveRecordingFiles(recording_id, recordings.session_id, "shared", None))

        assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
        assert names(versions) == named


def test_the_ledger_forgets_what_is_long_over(recordings: RecordingFixture, run_sweep: RunSweep) -> None:
    ids = {state: recordings.arrive(state.encode()) for state in ("succeeded", "failed", "dead", "queued", "young")}
    for state, recording_id in ids.items():
        stored, age = ("succeeded", 1) if state == "young" else (state, 40)
        recordings.sql(
            "UPDATE jobs SET state = CAST(:state AS varchar), created_at = now() - make_interval(days => :age), "
            "finished_at = CASE WHEN :state = 'queued' THEN NULL ELSE now() - make_interval(days => :age) END "
            "WHERE subject = :subject",
            state=stored,
            age=age,
            subject=f"recording:{recording_id}",
        )

    assert run_sweep(sweep.prune_ledger, PruneLedger()) == {
        "jobs": 2,
        "idempotency_keys": 0,
        "deliveries": 0,
        "notifications": 0,
        "uploads": 0,
        "recording_shares": 0,
        "job_actions": 0,
        "operator_accesses": 0,
    }

    left = {job.subject for job in recordings.sql("SELECT subject FROM jobs WHERE subject IS NOT NULL")}
    assert left == {f"recording:{ids[state]}" for state in ("dead", "queued", "young")}
    # Recordings stay; they only forget their job.
    assert len(recordings.sql("SELECT 1 FROM whiteboard_session_recordings")) == 5


def test_messages_are_forgotten_but_those_of_lessons_to_come(recordings: RecordingFixture, run_sweep: RunSweep) -> None:
    recordings.sql("INSERT INTO users (id, first_name, email) VALUES (900, 'Reader', 'r@example.org')")
    for key, state, age, starts in (
        ("old", "sent", 100, -90),
        ("young", "sent", 10, -9),
        ("old message", "failed", 100, None),
        ("waiting", "pending", 100, None),
        ("to come", "sent", 100, 5),
    ):
        recordings.sql(
            "INSERT INTO deliveries (kind, user_id, channel, key, due_at, state, updated_at, starts_at)"
            " VALUES ('test', 900, 'in_app', :key, now(), :state, now() - make_interval(days => :age),"
            " now() + make_interval(days => :starts))",
            key=key,
            state=state,
            age=age,
            starts=starts,
        )

    assert run_sweep(sweep.prune_ledger, PruneLedger())["deliveries"] == 2
    left = {row.key for row in recordings.sql("SELECT key FROM deliveries WHERE kind = 'test'")}
    assert left == {"young", "waiting", "to come"}


def test_old_messages_in_the_app_go_in_batches_read_or_not(
    recordings: RecordingFixture, run_sweep: RunSweep, context: WorkerContext
) -> None:
    recordings.sql("INSERT INTO users (id, first_name, email) VALUES (900, 'Reader', 'r@example.org')")
    recordings.sql(
        "INSERT INTO notifications (user_id, kind, title, message, created_at, read_at)"
        " SELECT 900, 'test', age::text, '', now() - make_interval(days => age), CASE age WHEN 41 THEN now() END"
        " FROM unnest(ARRAY[42, 41, 40, 38, 1]) AS age"
    )
    with context.database.transaction() as session:
        assert prune_notifications(session, age=39 * DAY, most=2) == 2

    assert run_sweep(sweep.prune_ledger, PruneLedger(), notification_retention=39 * DAY)["notifications"] == 1
    assert [row.title for row in recordings.sql("SELECT title FROM notifications ORDER BY id")] == ["38", "1"]
