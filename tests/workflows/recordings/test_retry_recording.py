"""Everything of a recording that failed is ordered again."""

import pytest

from tests.workflows.conftest import RecordingFixture
from worker.errors import NotFound
from worker.jobs.orders.recording_orders import IngestRecording, MakePictures, MakeRenditions, StoreSource
from worker.jobs.runs.cancel import cancel_job
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.retry_recording import retry_recording


def live(recordings: RecordingFixture) -> set[str]:
    return {job.kind for job in recordings.sql("SELECT kind FROM jobs WHERE state = 'queued'")}


def test_a_failed_ingest_is_retried_with_its_own_job(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)
    job_id = recordings.due(IngestRecording, recording_id)
    with recordings.database.transaction() as session:
        cancel_job(session, FAILURE_HOOKS, job_id)
    (part,) = retry_recording(recordings.database, recording_id, by="cli:maria")

    assert (part.part, part.job_id, part.error) == ("ingest", job_id, None)
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    assert recordings.row(recording_id).is_available


def test_a_failed_ingest_whose_job_was_pruned(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)
    with recordings.database.transaction() as session:
        cancel_job(session, FAILURE_HOOKS, recordings.due(IngestRecording, recording_id))
    recordings.sql("DELETE FROM jobs")
    (part,) = retry_recording(recordings.database, recording_id, by="cli:maria")

    assert recordings.row(recording_id).job_id == part.job_id
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"


def test_without_bytes_only_a_new_upload_helps(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)
    with recordings.database.transaction() as session:
        cancel_job(session, FAILURE_HOOKS, recordings.due(IngestRecording, recording_id))
    recordings.sql("UPDATE whiteboard_session_recordings SET spool_name = NULL")
    (part,) = retry_recording(recordings.database, recording_id, by="cli:maria")

    assert (part.job_id, "Upload it again" in (part.error or "")) == (None, True)
    with pytest.raises(NotFound):
        retry_recording(recordings.database, 999, by="cli:maria")


def test_failed_rows_of_a_lesson_that_plays_and_nothing_else(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)
    recordings.perform(IngestRecording, recording_id)
    recordings.sql("DELETE FROM jobs")
    assert retry_recording(recordings.database, recording_id, by="cli:maria") == []
    recordings.sql("UPDATE recording_renditions SET state = 'failed' WHERE name IN ('audio', 'activity', 'source')")
    recordings.sql(
        "INSERT INTO recording_renditions (recording_id, name, state) SELECT :id, name, 'failed'"
        " FROM unnest(ARRAY['audio', 'activity']) AS name ON CONFLICT DO NOTHING",
        id=recording_id,
    )
    parts = retry_recording(recordings.database, recording_id, by="cli:maria")

    assert [(part.part, part.error) for part in parts] == [("audio", None), ("activity", None), ("source", None)]
    assert live(recordings) == {MakeRenditions.kind, MakePictures.kind, StoreSource.kind}
    assert recordings.rendition(recording_id, "audio").state == "pending"
    again = retry_recording(recordings.database, recording_id, by="cli:maria")
    assert [part.job_id for part in again] == [parts[-1].job_id]
