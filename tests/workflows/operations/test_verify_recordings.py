"""Rows and objects compared by listings, on a bucket with every fault."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from tests.workflows.conftest import Put, RecordingFixture
from worker.errors import NotFound
from worker.jobs.orders.recording_orders import IngestRecording, StoreSource
from worker.workflows.operations.verify_recordings import verify_recordings

LATER = datetime.now(UTC) + timedelta(days=1)


def faults(recordings: RecordingFixture, recording_id: int | None = None, before: datetime = LATER) -> set[str]:
    context = recordings.context
    report = verify_recordings(context.store, context.database, recording_id, orphans_before=before)
    return {f"{fault.fault} {fault.name.rsplit('/', 1)[1]}" for fault in report}


@pytest.fixture
def stored(recordings: RecordingFixture, sample: bytes) -> int:
    recording_id = recordings.arrive(sample)
    recordings.perform(IngestRecording, recording_id)
    recordings.perform(StoreSource, recording_id)
    return recording_id


def test_all_is_well(recordings: RecordingFixture, stored: int, put: Put) -> None:
    put("videos/whiteboard/notes.txt")
    assert faults(recordings) == set()
    assert faults(recordings, stored) == set()


def test_every_fault_is_named(recordings: RecordingFixture, stored: int, put: Put, sample: bytes) -> None:
    other = recordings.arrive(sample + b"\0")
    recordings.perform(IngestRecording, other)
    folder = f"videos/whiteboard/session_{recordings.session_id}/recording_{stored}/0123"
    put(f"{folder}/old.webm")
    put(f"{folder}/small.webm")
    put(f"{folder}/changed.webm")
    for name, size in (("small", 99), ("changed", 100), ("gone", 100)):
        recordings.sql(
            "INSERT INTO recording_renditions (recording_id, name, state, object_name, sha1, bytes)"
            " VALUES (:id, :name, 'ready', :object, :sha1, :size)",
            id=stored,
            name=name,
            object=f"{folder}/{name}.webm",
            sha1="a" * 40,
            size=size,
        )
    expected = {"orphan old.webm", "size small.webm", "sha1 changed.webm", "missing gone.webm"}

    assert faults(recordings) == expected
    assert faults(recordings, stored) == expected
    assert faults(recordings, other) == set()
    with pytest.raises(NotFound):
        faults(recordings, 999)


def test_a_young_orphan_and_one_of_a_running_job_are_no_faults(
    recordings: RecordingFixture, put: Put, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)
    prefix = f"videos/whiteboard/session_{recordings.session_id}"
    put(f"{prefix}/recording_{recording_id}/0123/play/playback.webm")
    put(f"{prefix}/recording_{recording_id}0/0123/source.webm")

    assert faults(recordings) == {"orphan source.webm"}
    assert faults(recordings, before=datetime.now(UTC) - timedelta(hours=1)) == set()


def test_calls_do_not_grow_with_the_number_of_objects(
    recordings: RecordingFixture, stored: int, put: Put, caplog: pytest.LogCaptureFixture
) -> None:
    """A hundred objects and their rows take the calls that two take: urllib3 logs each request."""

    def calls() -> int:
        caplog.clear()
        with caplog.at_level(logging.DEBUG, logger="urllib3.connectionpool"):
            assert faults(recordings) == set()
        return sum('"POST ' in record.getMessage() or '"GET ' in record.getMessage() for record in caplog.records)

    few = calls()
    for number in range(100):
        name = put(f"videos/whiteboard/session_1/recording_{stored}/0123/{number}.webm")
        statement = (
            "INSERT INTO recording_renditions (recording_id, name, state, object_name)"
            " VALUES (:id, :name, 'ready', :object)"
        )
        recordings.sql(statement, id=stored, name=str(number), object=name)
    assert (few > 0, calls()) == (True, few)
