"""What a recording's row says when its job has failed, and what happens to its bytes."""

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from tests.conftest import Sql
from tests.recordings.conftest import MakeRecording
from worker.database import Database
from worker.errors import problem
from worker.jobs.orders.recording_orders import IngestRecording, StoreSource
from worker.jobs.runs.failure_hooks import FailedJob
from worker.recordings.ingest.register import register_recording
from worker.workflows.recordings.failure_hooks import ingest_ended, store_ended

REJECTED = problem("media-rejected", "The recording cannot be used", 422, "It is empty.", reason="empty")
OUTAGE = problem("storage-unavailable", "Storage does not answer", 503, "B2 does not answer.")


@pytest.fixture
def recording_id(database: Database, new: MakeRecording) -> int:
    with database.transaction() as session:
        return register_recording(session, new()).recording_id


@pytest.fixture
def end(database: Database, recording_id: int, session_id: int) -> Callable[..., None]:
    """`end(hook, order_type, error)`: the job is over."""

    def call(hook: Any, order_type: Any, error: dict[str, Any], state: str = "failed") -> None:
        with database.transaction() as session:
            hook(session, order_type(recording_id, session_id, "shared", 1), FailedJob(uuid4(), state, error))

    return call


def removals(sql: Sql) -> list[Any]:
    return [job.args for job in sql("SELECT args FROM jobs WHERE kind = 'recordings.remove_files'")]


def test_bytes_that_are_no_media_leave(end: Callable[..., None], sql: Sql, recording_id: int, session_id: int) -> None:
    end(ingest_ended, IngestRecording, REJECTED)

    (row,) = sql("SELECT * FROM whiteboard_session_recordings")
    assert (row.is_processing, row.is_available, row.error, row.spool_name) == (False, False, REJECTED, None)
    assert removals(sql) == [
        {"recording_id": recording_id, "session_id": session_id, "spool_id": "shared", "spool_name": "0" * 32}
    ]


@pytest.mark.parametrize("reason", ["damaged", "too-long", "mixed-codecs", "unsupported-codec", "missing-init"])
def test_rejected_bytes_that_other_tools_play_stay(end: Callable[..., None], sql: Sql, reason: str) -> None:
    end(ingest_ended, IngestRecording, {**REJECTED, "reason": reason})

    (row,) = sql("SELECT * FROM whiteboard_session_recordings")
    assert (row.is_processing, row.is_available, row.spool_name) == (False, False, "0" * 32)
    assert [args["spool_name"] for args in removals(sql)] == [None]


@pytest.mark.parametrize("state", ["failed", "dead", "cancelled"])
def test_after_any_other_end_they_stay_for_another_try(end: Callable[..., None], sql: Sql, state: str) -> None:
    end(ingest_ended, IngestRecording, OUTAGE, state)

    (row,) = sql("SELECT * FROM whiteboard_session_recordings")
    assert (row.is_processing, row.is_available, row.error, row.spool_name) == (False, False, OUTAGE, "0" * 32)
    assert [args["spool_name"] for args in removals(sql)] == [None]


def test_a_playable_recording_stays_so(end: Callable[..., None], sql: Sql) -> None:
    sql("UPDATE whiteboard_session_recordings SET is_processing = false, is_available = true")

    end(ingest_ended, IngestRecording, REJECTED)

    (row,) = sql("SELECT * FROM whiteboard_session_recordings")
    assert (row.is_available, row.error, row.spool_name) == (True, None, "0" * 32)
    assert removals(sql) == []


def test_a_deleted_recording_has_nothing_to_say(end: Callable[..., None], sql: Sql) -> None:
    sql("DELETE FROM whiteboard_session_recordings")

    end(ingest_ended, IngestRecording, REJECTED)
    end(store_ended, StoreSource, OUTAGE)

    assert removals(sql) == sql("SELECT 1 FROM recording_renditions") == []


def test_a_source_that_could_not_be_stored_says_why(end: Callable[..., None], sql: Sql) -> None:
    end(store_ended, StoreSource, OUTAGE, "dead")

    (row,) = sql("SELECT * FROM recording_renditions")
    assert (row.name, row.state, row.reason, row.object_name) == ("source", "failed", "B2 does not answer.", None)
    assert sql("SELECT spool_name FROM whiteboard_session_recordings")[0].spool_name == "0" * 32
