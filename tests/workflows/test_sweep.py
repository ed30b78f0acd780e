"""Upkeep: what nothing names goes, what a row names stays, and what is too young is left alone."""

import os
import time
from collections.abc import Callable
from typing import Any

import pytest

from tests.workflows.conftest import Put, Versions, Workshop
from worker.jobs.enqueue import enqueue
from worker.jobs.job_run import LeaseTiming
from worker.jobs.orders import IngestRecording, PruneLedger, RemoveRecordingFiles, StoreSource, SweepObjects, SweepSpool
from worker.jobs.perform import Performer
from worker.workflows import sweep
from worker.workflows.context import WorkerContext
from worker.workflows.failure_hooks import ENDINGS

DAY = 86_400


Swept = Callable[..., Any]


@pytest.fixture
def swept(workshop: Workshop, tools: WorkerContext) -> Swept:
    """`swept(sweep.sweep_spool, SweepSpool("shared"), orphan_age=…)`: the result of that job."""

    def run(work: Any, order: Any, **changes: Any) -> Any:
        with tools.database.transaction() as session:
            job_id = enqueue(session, order)
        mine = WorkerContext(tools.settings.model_copy(update=changes), tools.database)
        performer = Performer(tools.database, "test", LeaseTiming(30, 10, 0.1), 0.01, ENDINGS)
        performer.perform(job_id, lambda job, _order: work(job, mine))
        job = workshop.job(job_id)
        assert job.state == "succeeded", job.error
        return job.result

    return run


def names(versions: Versions) -> list[str]:
    return sorted(name for name, _ in versions())


def grow_old(workshop: Workshop, seconds: float) -> None:
    for path in workshop.tools.settings.spool_dir.rglob("*"):
        then = time.time() - seconds
        os.utime(path, (then, then))


class TestObjects:
    """`upkeep.sweep_objects`."""

    def test_what_a_row_names_stays_and_the_rest_goes(
        self, workshop: Workshop, swept: Swept, put: Put, versions: Versions, sample: bytes
    ) -> None:
        recording_id = workshop.arrive(sample)
        workshop.perform(IngestRecording, recording_id)
        workshop.perform(StoreSource, recording_id)
        named = names(versions)
        assert len(named) == 2
        prefix = f"videos/whiteboard/session_{workshop.session_id}"
        # Beside a living recording, below one that is gone, and of a form that is not of our making.
        put(f"{prefix}/recording_{recording_id}/old/play/playback.webm")
        put(f"{prefix}/recording_{recording_id}0/0123/play/playback.webm")
        foreign = [put("videos/whiteboard/notes.txt"), put("videos/whiteboard/a/recording_x/b"), put("videos/else/1")]

        assert swept(sweep.sweep_objects, SweepObjects(), orphan_age=0) == {"objects": 2, "unfinished": 0}

        assert names(versions) == sorted([*named, *foreign])
        assert swept(sweep.sweep_objects, SweepObjects(), orphan_age=0)["objects"] == 0

    def test_what_is_too_young_stays(self, swept: Swept, put: Put, versions: Versions) -> None:
        put("videos/whiteboard/session_1/recording_1/0123/play/playback.webm")

        assert swept(sweep.sweep_objects, SweepObjects(), orphan_age=3600)["objects"] == 0
        assert len(versions()) == 1

    def test_large_files_that_nobody_finished_go(self, tools: WorkerContext, swept: Swept, versions: Versions) -> None:
        bucket = tools.store._account.bucket()
        for name in ("videos/whiteboard/session_1/recording_1/0123/source.webm", "videos/else/1"):
            bucket.api.session.start_large_file(bucket.id_, name, "video/webm", {})

        assert swept(sweep.sweep_objects, SweepObjects(), orphan_age=3600)["unfinished"] == 0
        assert swept(sweep.sweep_objects, SweepObjects(), orphan_age=0) == {"objects": 0, "unfinished": 1}
        assert names(versions) == ["videos/else/1"]

    def test_a_recording_that_is_worked_on_keeps_everything(
        self, workshop: Workshop, swept: Swept, put: Put, versions: Versions, sample: bytes
    ) -> None:
        recording_id = workshop.arrive(sample)
        run = workshop.begin(IngestRecording, recording_id)
        put(f"videos/whiteboard/session_1/recording_{recording_id}/0123/play/playback.webm")

        assert swept(sweep.sweep_objects, SweepObjects(), orphan_age=0)["objects"] == 0
        assert len(versions()) == 1
        workshop.lose(run)

    def test_an_object_whose_row_is_gone_goes(
        self, workshop: Workshop, swept: Swept, versions: Versions, sample: bytes
    ) -> None:
        recording_id = workshop.arrive(sample)
        workshop.perform(IngestRecording, recording_id)
        workshop.perform(StoreSource, recording_id)
        assert len(versions()) == 2
        workshop.sql("DELETE FROM recording_renditions WHERE name = 'source'")

        assert swept(sweep.sweep_objects, SweepObjects(), orphan_age=0)["objects"] == 1
        assert [name.rsplit("/", 1)[1] for name in names(versions)] == ["playback.webm"]


class TestSpool:
    """`upkeep.sweep_spool`."""

    def test_files_that_no_row_names_and_debris_go(
        self, workshop: Workshop, tools: WorkerContext, swept: Swept, sample: bytes
    ) -> None:
        kept = workshop.row(workshop.arrive(sample)).spool_name
        orphan = workshop.arrive(b"orphan")
        workshop.sql("DELETE FROM whiteboard_session_recordings WHERE id = :id", id=orphan)
        folder = tools.settings.spool_dir
        (folder / ("f" * 32 + ".part")).write_bytes(b"half")
        (folder / "work" / "tmp1").mkdir(parents=True)
        grow_old(workshop, 2 * DAY)

        found = swept(sweep.sweep_spool, SweepSpool("shared"), orphan_age=DAY)

        assert found == {"files": 1, "debris": 2}
        assert workshop.spooled() == [kept]

    def test_what_is_young_stays(self, workshop: Workshop, tools: WorkerContext, swept: Swept) -> None:
        recording_id = workshop.arrive(b"just sealed, not yet registered")
        workshop.sql("DELETE FROM whiteboard_session_recordings WHERE id = :id", id=recording_id)
        (tools.settings.spool_dir / ("f" * 32 + ".part")).write_bytes(b"half")

        assert swept(sweep.sweep_spool, SweepSpool("shared"), orphan_age=DAY) == {"files": 0, "debris": 0}
        assert len(workshop.spooled()) == 2

    def test_bytes_of_an_unfinished_ingest_are_kept_for_their_time(
        self, workshop: Workshop, swept: Swept, sample: bytes
    ) -> None:
        recording_id = workshop.arrive(sample)
        workshop.sql("UPDATE jobs SET max_attempts = 1")
        workshop.lose(workshop.begin(IngestRecording, recording_id))
        assert workshop.row(recording_id).is_processing is False
        grow_old(workshop, 30 * DAY)
        before = "UPDATE whiteboard_session_recordings SET updated_at = now() - interval '6 days 23 hours'"
        after = "UPDATE whiteboard_session_recordings SET updated_at = now() - interval '7 days 1 hour'"

        workshop.sql(before)
        assert swept(sweep.sweep_spool, SweepSpool("shared"))["files"] == 0
        assert workshop.spooled() == [workshop.row(recording_id).spool_name]
        workshop.sql(after)
        assert swept(sweep.sweep_spool, SweepSpool("shared"))["files"] == 1
        assert (workshop.spooled(), workshop.row(recording_id).spool_name) == ([], None)

    @pytest.mark.parametrize("state", ["waiting", "playable, source not yet stored", "of another spool"])
    def test_bytes_that_somebody_waits_for_are_kept_however_old(
        self, workshop: Workshop, swept: Swept, sample: bytes, state: str
    ) -> None:
        recording_id = workshop.arrive(sample)
        if state.startswith("playable"):
            workshop.perform(IngestRecording, recording_id)
        if state.startswith("of another"):
            workshop.sql(
                "UPDATE whiteboard_session_recordings SET spool_id = 'elsewhere', is_processing = false, error = '{}'"
            )
        workshop.sql("UPDATE whiteboard_session_recordings SET updated_at = now() - interval '1 year'")
        grow_old(workshop, 400 * DAY)

        assert swept(sweep.sweep_spool, SweepSpool("shared"))["files"] == 0
        assert workshop.spooled() == [workshop.row(recording_id).spool_name]


class TestRemoval:
    """`recordings.remove_files`."""

    def test_it_waits_for_live_jobs(self, workshop: Workshop, put: Put, versions: Versions, sample: bytes) -> None:
        recording_id = workshop.arrive(sample)
        prefix = f"videos/whiteboard/session_{workshop.session_id}/recording_{recording_id}/0123/play/"
        put(f"{prefix}playback.webm")
        run = workshop.begin(IngestRecording, recording_id)
        with workshop.database.transaction() as session:
            enqueue(session, RemoveRecordingFiles(recording_id, workshop.session_id, "shared", None))

        job = workshop.perform(RemoveRecordingFiles, recording_id)
        assert (job.state, job.error["code"]) == ("retryable", "still-busy")
        assert len(versions()) == 1
        workshop.sql("UPDATE jobs SET max_attempts = 1 WHERE id = :id", id=run.claim.job_id)
        workshop.lose(run)
        assert workshop.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
        assert versions() == []

    def test_neighbours_keep_theirs(self, workshop: Workshop, put: Put, versions: Versions) -> None:
        neighbours = [
            put("videos/whiteboard/session_1/recording_10/0123/source.webm"),
            put("videos/whiteboard/session_11/recording_1/0123/source.webm"),
        ]
        put("videos/whiteboard/session_1/recording_1/0123/source.webm")
        with workshop.database.transaction() as session:
            enqueue(session, RemoveRecordingFiles(1, 1, "shared", None))

        job = workshop.perform(RemoveRecordingFiles, 1)

        assert (job.state, job.result) == ("succeeded", {"objects": 1})
        assert names(versions) == sorted(neighbours)

    def test_a_playable_recordings_objects_stay(
        self, workshop: Workshop, put: Put, versions: Versions, sample: bytes
    ) -> None:
        recording_id = workshop.arrive(sample)
        workshop.perform(IngestRecording, recording_id)
        workshop.perform(StoreSource, recording_id)
        named = names(versions)
        put(f"videos/whiteboard/session_{workshop.session_id}/recording_{recording_id}/old/play/playback.webm")
        with workshop.database.transaction() as session:
            enqueue(session, RemoveRecordingFiles(recording_id, workshop.session_id, "shared", None))

        assert workshop.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
        assert names(versions) == named


def test_the_ledger_forgets_what_is_long_over(workshop: Workshop, swept: Swept) -> None:
    ids = {state: workshop.arrive(state.encode()) for state in ("succeeded", "failed", "dead", "queued", "young")}
    for state, recording_id in ids.items():
        stored, age = ("succeeded", 1) if state == "young" else (state, 40)
        workshop.sql(
            "UPDATE jobs SET state = CAST(:state AS varchar), created_at = now() - make_interval(days => :age), "
            "finished_at = CASE WHEN :state = 'queued' THEN NULL ELSE now() - make_interval(days => :age) END "
            "WHERE subject = :subject",
            state=stored,
            age=age,
            subject=f"recording:{recording_id}",
        )

    assert swept(sweep.prune_ledger, PruneLedger()) == {
        "jobs": 2,
        "idempotency_keys": 0,
        "deliveries": 0,
        "operator_accesses": 0,
    }

    left = {job.subject for job in workshop.sql("SELECT subject FROM jobs WHERE subject IS NOT NULL")}
    assert left == {f"recording:{ids[state]}" for state in ("dead", "queued", "young")}
    # Recordings stay; they only forget their job.
    assert len(workshop.sql("SELECT 1 FROM whiteboard_session_recordings")) == 5


def test_messages_are_forgotten_but_those_of_lessons_to_come(workshop: Workshop, swept: Swept) -> None:
    workshop.sql("INSERT INTO users (id, first_name, email) VALUES (900, 'Reader', 'r@example.org')")
    for key, state, age, starts in (
        ("old", "sent", 100, -90),
        ("young", "sent", 10, -9),
        ("old message", "failed", 100, None),
        ("waiting", "pending", 100, None),
        ("to come", "sent", 100, 5),
    ):
        workshop.sql(
            "INSERT INTO deliveries (kind, user_id, channel, key, due_at, state, updated_at, starts_at)"
            " VALUES ('test', 900, 'in_app', :key, now(), :state, now() - make_interval(days => :age),"
            " now() + make_interval(days => :starts))",
            key=key,
            state=state,
            age=age,
            starts=starts,
        )

    assert swept(sweep.prune_ledger, PruneLedger())["deliveries"] == 2
    left = {row.key for row in workshop.sql("SELECT key FROM deliveries WHERE kind = 'test'")}
    assert left == {"young", "waiting", "to come"}
