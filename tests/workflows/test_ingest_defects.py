"""Files that are expensive to read or fail repeatedly: they are refused with a reason and leave nothing."""

import pytest

from tests.workflows.conftest import RecordingFixture, Versions, WithFfmpeg
from worker.jobs.orders.recording_orders import IngestRecording, RemoveRecordingFiles
from worker.jobs.runs.cancel import retry_job
from worker.workflows.context import WorkerContext


def work_folders(context: WorkerContext) -> list[str]:
    return [path.name for path in (context.settings.spool_dir / "work").glob("*")]


@pytest.mark.parametrize(
    "filling", [b"\xec\x80" * 400_000, b"\x1f\x43\xb6\x75" * 200_000], ids=["empty-elements", "cluster-ids"]
)
def test_a_dear_file_ends_at_its_first_attempt(
    filling: bytes, recordings: RecordingFixture, context: WorkerContext, versions: Versions, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample + filling)

    job = recordings.perform(IngestRecording, recording_id)

    assert (job.state, job.attempt, job.error["reason"]) == ("failed", 1, "too-complex")
    assert work_folders(context) == []
    assert recordings.perform(RemoveRecordingFiles, recording_id).state == "succeeded"
    assert versions() == []
    # Another program may read it, so its bytes are kept.
    assert recordings.spooled() == [recordings.row(recording_id).spool_name]


def test_the_same_error_twice_is_final_and_for_people(
    recordings: RecordingFixture, context: WorkerContext, with_ffmpeg: WithFfmpeg, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    broken = with_ffmpeg('echo "[out#0/webm @ 0x55dfa4e$RANDOM] Could not write header" >&2; exit 187')

    assert recordings.perform(IngestRecording, recording_id, context=broken).state == "retryable"
    job = recordings.perform(IngestRecording, recording_id, context=broken)

    assert (job.state, job.attempt, job.error["code"]) == ("failed", 2, "ffmpeg-failed")
    assert "header" not in job.error["detail"]
    assert "2 times" in job.error["detail"]
    assert job.error["program_error"] == "ffmpeg ended with status 187: Could not write header"
    assert work_folders(context) == []
    with recordings.database.transaction() as session:
        retry_job(session, job.id)
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"


def test_a_program_that_is_killed_each_time_is_given_up(
    recordings: RecordingFixture, context: WorkerContext, with_ffmpeg: WithFfmpeg, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    broken = with_ffmpeg("kill -KILL $$")

    states = [recordings.perform(IngestRecording, recording_id, context=broken).state for _ in range(3)]

    assert states == ["retryable", "retryable", "failed"]
    assert work_folders(context) == []


def test_what_a_killed_attempt_left_goes_with_the_next_one(
    recordings: RecordingFixture, context: WorkerContext, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    run = recordings.begin(IngestRecording, recording_id)
    left = context.settings.spool_dir / "work" / f"{run.claim.job_id.hex}-killed"
    left.mkdir(parents=True)
    (left / "playback").write_bytes(b"x" * 100_000)
    recordings.lose(run)

    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    assert work_folders(context) == []


def test_a_worker_that_dies_of_it_four_times_ends_it(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)
    for _ in range(4):
        run = recordings.begin(IngestRecording, recording_id)
        recordings.lose(run)

    row = recordings.row(recording_id)
    assert (row.is_processing, row.error["code"]) == (False, "worker-lost")
    assert "4 times" in row.error["detail"]
    assert recordings.spooled() == [row.spool_name]
