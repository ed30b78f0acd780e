"""From the spool to a playable lesson, and what a crash at each point leaves to the next attempt."""

import hashlib
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.statements import waits_for_a_lock
from tests.waiting import TIMEOUT, wait_for
from tests.workflows.conftest import RecordingFixture, Versions, WithFfmpeg
from worker.errors import OutOfSpace
from worker.jobs.orders.recording_orders import IngestRecording, RemoveRecordingFiles, StoreSource
from worker.jobs.orders.registered import read_order
from worker.jobs.runs.cancel import cancel_job, retry_job
from worker.jobs.runs.run_statements import LeaseLost
from worker.media.errors import OutputDamaged
from worker.media.limits import Limits
from worker.media.probing.header import read_header
from worker.recordings.ingest.make_playable import make_playable
from worker.recordings.ingest.playable import IngestContext
from worker.recordings.source import find_source
from worker.storage.errors import StorageRefused
from worker.workflows.context import WorkerContext
from worker.workflows.recordings.delete_recording import delete_recording
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.ingest_recording import ingest_recording
from worker.workflows.recordings.store_source import store_source


def make_without_finishing(recordings: RecordingFixture, recording_id: int) -> Any:
    """An attempt that put everything on B2 and died before its commit."""
    context = recordings.context
    run = recordings.begin(IngestRecording, recording_id)
    with recordings.database.transaction() as session:
        source = find_source(session, recording_id)
        assert source is not None
        assert source.spool_name is not None
    with context.spool.workspace(run.claim.job_id) as folder:
        ingest_context = IngestContext(context.binaries, context.store, folder, Limits(max_seconds=3600))
        make_playable(run, ingest_context, source, context.spool.path(source.spool_name))
    recordings.lose(run)
    return run


def test_ingest_then_store(recordings: RecordingFixture, versions: Versions, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)

    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    row = recordings.row(recording_id)
    assert (row.is_available, row.is_processing, row.error) == (True, False, None)
    assert row.spool_name is not None
    assert recordings.rendition(recording_id, "source").state == "pending"
    assert [name.rsplit("/", 1)[1] for name, _ in versions()] == ["playback.webm"]

    assert recordings.perform(StoreSource, recording_id).state == "succeeded"
    source = recordings.rendition(recording_id, "source")
    assert (source.state, source.bytes) == ("ready", len(sample))
    assert source.sha1 == hashlib.sha1(sample, usedforsecurity=False).hexdigest()
    assert (source.object_name, source.file_id) in versions()
    assert recordings.row(recording_id).spool_name is None
    assert recordings.spooled() == []


def test_what_the_header_promised_is_not_what_is_copied(
    recordings: RecordingFixture, context: WorkerContext, sample: bytes, tmp_path: Path
) -> None:
    """A camera that never started: its track is in the header, and that is all of it."""
    late = ["-itsoffset", "100", "-f", "lavfi", "-i", "testsrc2=s=64x64:d=1"]
    words = ["-map", "1:v", "-map", "0:a", "-c:v", "libvpx", "-c:a", "copy", "-t", "5", "-f", "webm", "-live", "1"]
    (tmp_path / "sound").write_bytes(sample)
    subprocess.run(
        [context.binaries.ffmpeg, "-v", "error", "-nostdin", "-i", tmp_path / "sound", *late, *words, tmp_path / "f"],
        check=True,
        timeout=TIMEOUT,
    )
    recording_id = recordings.arrive((tmp_path / "f").read_bytes())

    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    rendition = recordings.rendition(recording_id, "playback")
    assert (rendition.mime, rendition.codecs, rendition.width) == ("audio/webm", "opus", None)
    context.store.download(rendition.object_name, tmp_path / "copy")
    header = read_header(tmp_path / "copy", context.binaries)
    assert [list(part.tracks) for part in header.parts] == [["audio"]]


def test_two_recordings_in_one_file_become_one(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = recordings.arrive(sample + sample)

    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    row = recordings.row(recording_id)
    assert row.recording_metadata["source"]["parts"] == 2
    assert row.recording_metadata["duration_ms"] == pytest.approx(2 * 7_988, abs=100)


def test_a_crash_between_b2_and_the_row_uploads_nothing_twice(
    recordings: RecordingFixture, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    make_without_finishing(recordings, recording_id)
    before = versions()
    assert len(before) == 1
    row = recordings.row(recording_id)
    assert (row.is_processing, row.is_available) == (True, False)

    job = recordings.perform(IngestRecording, recording_id)

    assert (job.state, job.attempt) == ("succeeded", 2)
    assert versions() == before
    assert recordings.rendition(recording_id, "playback").file_id == before[0][1]
    assert recordings.row(recording_id).is_available


def test_a_crash_at_the_last_attempt_ends_the_recording_and_its_objects_go(
    recordings: RecordingFixture, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    recordings.sql("UPDATE jobs SET max_attempts = 1")
    make_without_finishing(recordings, recording_id)

    row = recordings.row(recording_id)
    assert (row.is_processing, row.is_available, row.error["code"]) == (False, False, "worker-lost")
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    assert versions() == []
    # The bytes were not to blame: they are there for another try.
    assert recordings.spooled() == [row.spool_name]
    with recordings.database.transaction() as session:
        retry_job(session, row.job_id)
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    assert recordings.row(recording_id).is_available


def test_a_stale_run_writes_nothing(recordings: RecordingFixture, versions: Versions, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)

    def overtaken(run: Any, order: Any, context: WorkerContext) -> None:
        recordings.lose(run)
        ingest_recording(run, order, context)

    assert recordings.perform(IngestRecording, recording_id, overtaken).state == "retryable"
    row = recordings.row(recording_id)
    assert (row.is_processing, row.is_available, row.file_url) == (True, False, None)

    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    assert len(versions()) == 1


def test_rejected_bytes_leave_nothing(recordings: RecordingFixture, versions: Versions) -> None:
    recording_id = recordings.arrive(b"no recording")

    job = recordings.perform(IngestRecording, recording_id)

    assert (job.state, job.error["reason"]) == ("failed", "not-a-recording")
    assert recordings.row(recording_id).error == job.error
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    assert (recordings.spooled(), versions()) == ([], [])


def test_a_lesson_is_not_lost_because_a_key_had_expired(
    recordings: RecordingFixture, context: WorkerContext, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    shut_out = WorkerContext(context.settings.model_copy(update={"backblaze_key_id": "0" * 12}), context.database)

    job = recordings.perform(IngestRecording, recording_id, context=shut_out)

    assert (job.state, job.error["code"]) == ("failed", StorageRefused.code)
    row = recordings.row(recording_id)
    assert (row.is_processing, row.is_available, row.error) == (False, False, job.error)
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    assert recordings.spooled() == [row.spool_name]
    with recordings.database.transaction() as session:
        retry_job(session, job.id)
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    row = recordings.row(recording_id)
    assert (row.is_available, row.error) == (True, None)
    assert len(versions()) == 1


# The sound alone has 127 KB, and its fast copy as much.
@pytest.mark.parametrize(("size", "inodes"), [("132k", None), ("200k", None), ("248k", None), ("1m", 4)])
def test_a_disk_that_fills_up_costs_time_and_no_lesson(
    size: str,
    inodes: int | None,
    recordings: RecordingFixture,
    context: WorkerContext,
    versions: Versions,
    sample: bytes,
    small_disk: Callable[..., Path],
) -> None:
    """From the folder that cannot be made to the index that finds no room: always the disk, never the recording."""
    folder = small_disk(size, inodes=inodes)
    recordings.context = WorkerContext(
        context.settings.model_copy(update={"spool_dir": folder / "spool"}), context.database
    )
    recording_id = recordings.arrive(sample)
    recordings.sql("UPDATE jobs SET max_attempts = 2")
    name = recordings.row(recording_id).spool_name

    for state in ("retryable", "dead"):
        job = recordings.perform(IngestRecording, recording_id)
        assert (job.state, job.error["code"]) == (state, OutOfSpace.code)
        assert "disk" in job.error["detail"]
        assert not recordings.row(recording_id).is_available
        assert recordings.spooled() == [name]
    row = recordings.row(recording_id)
    assert (row.is_processing, row.error) == (False, job.error)
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    assert (recordings.spooled(), versions()) == ([name], [])

    small_disk("4m", inodes=1000)
    with recordings.database.transaction() as session:
        retry_job(session, job.id)
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    assert recordings.row(recording_id).is_available
    assert len(versions()) == 1


def test_a_copy_that_went_wrong_is_never_shown_and_goes_from_b2(
    recordings: RecordingFixture, with_ffmpeg: WithFfmpeg, versions: Versions, sample: bytes
) -> None:
    """It is on its way to B2 while it is read again."""
    recording_id = recordings.arrive(sample)
    broken = with_ffmpeg('$FFMPEG "$@" && truncate -s -40000 "$last"')

    job = recordings.perform(IngestRecording, recording_id, context=broken)

    assert (job.state, job.error["code"]) == ("failed", OutputDamaged.code)
    row = recordings.row(recording_id)
    assert (row.is_available, row.is_processing, row.file_url) == (False, False, None)
    assert recordings.rendition(recording_id, "playback") is None
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    # The bytes were not to blame.
    assert (versions(), recordings.spooled()) == ([], [row.spool_name])


def test_bad_bytes_are_to_blame_also_when_the_copy_fails_first(
    recordings: RecordingFixture,
    context: WorkerContext,
    with_ffmpeg: WithFfmpeg,
    versions: Versions,
    sample: bytes,
    tmp_path: Path,
) -> None:
    recording_id = recordings.arrive(sample)
    slow = tmp_path / "ffprobe"
    slow.write_text(f'#!/bin/sh\ncase "$*" in *packet=*) sleep 0.7;; esac\nexec {context.binaries.ffprobe} "$@"\n')
    slow.chmod(0o755)
    changes = {"recording_max_seconds": 5, "ffprobe_path": slow}
    broken = WorkerContext(with_ffmpeg("exit 1").settings.model_copy(update=changes), context.database)

    job = recordings.perform(IngestRecording, recording_id, context=broken)

    assert (job.state, job.error["reason"]) == ("failed", "too-long")
    assert versions() == []


def test_a_copy_that_failed_once_is_made_anew(
    recordings: RecordingFixture, with_ffmpeg: WithFfmpeg, tmp_path: Path, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    moody = with_ffmpeg(f'mkdir {tmp_path}/once 2>/dev/null && exit 1; exec $FFMPEG "$@"')

    job = recordings.perform(IngestRecording, recording_id, context=moody)

    assert (job.state, job.attempt) == ("succeeded", 1)


def test_a_cancel_in_the_middle_leaves_no_program(
    recordings: RecordingFixture,
    with_ffmpeg: WithFfmpeg,
    versions: Versions,
    sample: bytes,
    tmp_path: Path,
) -> None:
    recording_id = recordings.arrive(sample)
    endless = with_ffmpeg(f"echo $$ > {tmp_path}/pid.new && mv {tmp_path}/pid.new {tmp_path}/pid; exec sleep 600")

    def cancelled_meanwhile(run: Any, order: Any, _context: Any) -> None:
        cancelling = threading.Thread(target=cancel, args=[run])
        cancelling.start()
        try:
            ingest_recording(run, order, endless)
        finally:
            cancelling.join()

    def cancel(run: Any) -> None:
        wait_for((tmp_path / "pid").exists)
        with recordings.database.transaction() as session:
            cancel_job(session, FAILURE_HOOKS, run.claim.job_id)
        run.progress(7)  # as a copy that goes on; otherwise only the renewal of the lease hears of it

    job = recordings.perform(IngestRecording, recording_id, cancelled_meanwhile)

    assert job.state == "cancelled"
    assert not psutil.pid_exists(int((tmp_path / "pid").read_text()))
    assert versions() == []
    assert recordings.spooled() in ([], [recordings.row(recording_id).spool_name])


def test_bytes_that_are_gone_are_named(recordings: RecordingFixture, context: WorkerContext, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)
    context.spool.remove(recordings.row(recording_id).spool_name)

    job = recordings.perform(IngestRecording, recording_id)

    assert job.state == "failed"
    row = recordings.row(recording_id)
    assert (row.is_processing, row.is_available) == (False, False)
    assert "no longer" in row.error["detail"]


def test_the_longest_recording_is_a_setting(
    recordings: RecordingFixture, context: WorkerContext, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    short = WorkerContext(context.settings.model_copy(update={"recording_max_seconds": 5}), context.database)

    job = recordings.perform(IngestRecording, recording_id, context=short)

    assert (job.state, job.error["reason"]) == ("failed", "too-long")


def test_a_recording_that_is_deleted_before_is_nothing_to_do(
    recordings: RecordingFixture, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    recordings.sql("DELETE FROM whiteboard_session_recordings")

    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    assert versions() == []


def test_a_recording_that_is_deleted_meanwhile_leaves_nothing(
    recordings: RecordingFixture, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)

    def deleted_meanwhile(run: Any, order: Any, context: WorkerContext) -> None:
        with recordings.database.transaction() as session:
            delete_recording(session, recording_id, principal="user:1")
        assert recordings.perform(RemoveRecordingFiles, recording_id).state == "retryable"
        ingest_recording(run, order, context)

    job = recordings.perform(IngestRecording, recording_id, deleted_meanwhile)

    assert job.state in {"succeeded", "cancelled"}
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    assert (recordings.row(recording_id), recordings.spooled(), versions()) == (None, [], [])


def test_a_delete_right_before_the_commit_wins(recordings: RecordingFixture, versions: Versions, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)
    run = recordings.begin(IngestRecording, recording_id)
    with recordings.database.transaction() as session:
        source = find_source(session, recording_id)
        assert source is not None
        assert source.spool_name is not None
    context = recordings.context
    with context.spool.workspace(run.claim.job_id) as folder:
        ingest_context = IngestContext(context.binaries, context.store, folder, Limits(max_seconds=3600))
        make_playable(run, ingest_context, source, context.spool.path(source.spool_name))
    with recordings.database.transaction() as session:
        delete_recording(session, recording_id, principal="user:1")

    # The run is still alive: what it uploaded must not be taken away under a commit that may come.
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "retryable"
    assert len(versions()) == 1
    recordings.lose(run)
    assert recordings.job(run.claim.job_id).state == "cancelled"
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    assert (recordings.spooled(), versions()) == ([], [])


def test_a_delete_does_not_stumble_over_a_job_that_ends_at_that_moment(
    recordings: RecordingFixture, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    run = recordings.begin(IngestRecording, recording_id)
    failures: list[Exception] = []

    def delete() -> None:
        try:
            with recordings.database.transaction() as session:
                delete_recording(session, recording_id, principal="user:1")
        except Exception as error:  # noqa: BLE001 - reported by the main thread
            failures.append(error)

    deleting = threading.Thread(target=delete)
    with run.finish():
        # The run holds its row; the delete has seen a running job and now waits for it.
        deleting.start()
        wait_for(lambda: waits_for_a_lock(recordings.database))
    deleting.join(TIMEOUT)

    assert failures == []
    assert recordings.row(recording_id) is None


def test_bytes_that_came_again_stand_in_the_way_of_a_retry(recordings: RecordingFixture, sample: bytes) -> None:
    first = recordings.arrive(sample)
    recordings.sql("UPDATE jobs SET max_attempts = 1")
    recordings.lose(recordings.begin(IngestRecording, first))
    second = recordings.arrive(sample)
    assert second != first
    with recordings.database.transaction() as session:
        retry_job(session, recordings.row(first).job_id)

    job = recordings.perform(IngestRecording, first)

    assert (job.state, job.error["code"]) == ("failed", "sent-again")
    row = recordings.row(first)
    assert (row.is_processing, row.is_available, row.error) == (False, False, job.error)
    assert recordings.perform(IngestRecording, second).state == "succeeded"


def test_storing_goes_on_where_a_crash_left_it(
    recordings: RecordingFixture, context: WorkerContext, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    recordings.perform(IngestRecording, recording_id)
    row = recordings.row(recording_id)
    run = recordings.begin(StoreSource, recording_id)
    prefix = f"videos/whiteboard/session_{recordings.session_id}/recording_{recording_id}/{row.source_sha1[:12]}"
    context.store.upload(
        context.spool.path(row.spool_name), f"{prefix}/source.webm", content_type="video/webm", sha1=row.source_sha1
    )
    recordings.lose(run)
    before = versions()
    assert recordings.spooled() == [row.spool_name]

    assert recordings.perform(StoreSource, recording_id).state == "succeeded"

    assert versions() == before
    assert recordings.rendition(recording_id, "source").file_id in [file_id for _, file_id in before]
    assert recordings.spooled() == []


def test_an_overtaken_store_keeps_the_bytes(
    recordings: RecordingFixture, context: WorkerContext, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    recordings.perform(IngestRecording, recording_id)
    run = recordings.begin(StoreSource, recording_id)
    recordings.lose(run)

    with pytest.raises(LeaseLost):
        order = read_order(run.claim.kind, run.claim.args)
        assert isinstance(order, StoreSource)
        store_source(run, order, context)

    row = recordings.row(recording_id)
    assert recordings.spooled() == [row.spool_name]
    assert recordings.rendition(recording_id, "source").state == "pending"


def test_storing_twice_and_storing_what_was_deleted_do_nothing(
    recordings: RecordingFixture, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    recordings.perform(IngestRecording, recording_id)
    job = recordings.perform(StoreSource, recording_id)
    before = versions()
    recordings.sql("UPDATE jobs SET state = 'queued', finished_at = NULL WHERE id = :id", id=job.id)
    assert recordings.perform(StoreSource, recording_id).state == "succeeded"
    assert versions() == before

    other = recordings.arrive(sample, type="screen")
    recordings.perform(IngestRecording, other)
    with recordings.database.transaction() as session:
        delete_recording(session, other, principal="user:1")
    assert recordings.job(recordings.due(StoreSource, other)).state == "cancelled"
    assert recordings.perform(RemoveRecordingFiles, other).state == "succeeded"
    assert versions() == before
    assert recordings.spooled() == []


def test_bytes_that_changed_in_the_spool_are_not_stored(
    recordings: RecordingFixture, context: WorkerContext, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    recordings.perform(IngestRecording, recording_id)
    before = versions()
    context.spool.path(recordings.row(recording_id).spool_name).write_bytes(b"x" * len(sample))

    job = recordings.perform(StoreSource, recording_id)

    assert job.state in {"failed", "retryable"}
    assert versions() == before
    assert recordings.rendition(recording_id, "source").state != "ready"
    assert len(recordings.spooled()) == 1


def test_a_deleted_recordings_session_is_no_longer_recorded(recordings: RecordingFixture, sample: bytes) -> None:
    ids = [recordings.arrive(sample, type=type_) for type_ in ("video", "screen")]

    def recorded() -> bool:
        return bool(recordings.sql("SELECT has_recordings FROM whiteboard_sessions")[0].has_recordings)

    assert recorded() is False
    for recording_id in ids:
        recordings.perform(IngestRecording, recording_id)
    assert recorded() is True
    for recording_id, still in zip(ids, (True, False), strict=True):
        with recordings.database.transaction() as session:
            delete_recording(session, recording_id, principal="user:1")
        assert recorded() is still
