"""Registration: the same bytes in one session and type are one recording, also when sent concurrently."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest

from tests.conftest import School, Sql
from tests.recordings.conftest import MakeRecording
from tests.waiting import TIMEOUT
from worker.database import Database
from worker.recordings.ingest.register import NewRecording, RegistrationResult, register_recording

Register = Callable[[NewRecording], RegistrationResult]


@pytest.fixture
def register(database: Database) -> Register:
    def enter(new: NewRecording) -> RegistrationResult:
        with database.transaction() as session:
            return register_recording(session, new)

    return enter


def test_the_row_and_its_order(register: Register, new: MakeRecording, sql: Sql, session_id: int) -> None:
    registered = register(new(started_at=datetime(2026, 1, 31, 11, tzinfo=UTC)))

    (row,) = sql("SELECT * FROM whiteboard_session_recordings")
    assert (row.id, row.job_id, registered.is_new) == (registered.recording_id, registered.job_id, True)
    assert (row.is_processing, row.is_available, row.error) == (True, False, None)
    assert row.recording_date == datetime(2026, 1, 31, 11, tzinfo=UTC)
    assert row.recording_metadata == {
        "recorded_by": 1,
        "digest": "a" * 40,
        "source": {"filename": "lesson.webm", "size_bytes": 5_000_000},
    }
    (job,) = sql("SELECT * FROM jobs")
    assert (job.kind, job.queue, job.state) == ("recordings.ingest", "media.shared", "queued")
    # A minute and a second for each megabyte, and what encoding so many bytes may take.
    assert (job.time_limit, job.priority) == (65 + 220, 2)
    assert job.unique_key == f"recordings.ingest:{row.id}"


def test_twins_are_found_and_others_are_not(register: Register, new: MakeRecording, sql: Sql, school: School) -> None:
    sql("INSERT INTO whiteboard_sessions (id, booking_id) VALUES (900, :booking)", booking=school.booking_id)
    first = register(new())

    assert register(new(title="Other words", spool_name="1" * 32)) == RegistrationResult(
        first.recording_id, first.job_id, is_new=False
    )
    others = [register(new(type="screen")), register(new(session_id=900)), register(new(sha1="b" * 40))]
    assert {other.is_new for other in others} == {True}
    assert len({other.recording_id for other in (first, *others)}) == 4
    assert sql("SELECT count(*) AS n FROM jobs")[0].n == 4


@pytest.mark.parametrize(
    ("processing", "available", "is_duplicate"), [(True, False, True), (False, True, True), (False, False, False)]
)
def test_only_a_live_recording_is_a_duplicate(
    register: Register,
    new: MakeRecording,
    sql: Sql,
    processing: bool,
    available: bool,
    is_duplicate: bool,
) -> None:
    first = register(new())
    sql(
        "UPDATE whiteboard_session_recordings SET is_processing = :processing, is_available = :available",
        processing=processing,
        available=available,
    )

    second = register(new(spool_name="1" * 32))

    assert second.is_new is not is_duplicate
    assert (second.recording_id == first.recording_id) is is_duplicate
    assert sql("SELECT spool_name FROM whiteboard_session_recordings ORDER BY id")[0].spool_name == "0" * 32


def test_a_twin_that_somebody_else_sent_shows_no_job_of_theirs(register: Register, new: MakeRecording) -> None:
    first = register(new(principal="operator:3"))
    assert register(new(principal="user:1")) == RegistrationResult(first.recording_id, None, is_new=False)


def test_a_twin_whose_job_was_pruned_has_none_to_wait_for(register: Register, new: MakeRecording, sql: Sql) -> None:
    first = register(new())
    sql("UPDATE whiteboard_session_recordings SET is_processing = false, is_available = true")
    sql("DELETE FROM jobs")

    assert register(new()) == RegistrationResult(first.recording_id, None, is_new=False)


def test_a_storm_of_the_same_bytes_is_one_recording(
    database: Database, register: Register, new: MakeRecording, sql: Sql
) -> None:
    start = threading.Barrier(8)

    def enter(number: int) -> RegistrationResult:
        start.wait(TIMEOUT)
        result: RegistrationResult = register(new(spool_name=f"{number:032x}"))
        return result

    with ThreadPoolExecutor(8) as senders:
        for _ in range(3):
            results = list(senders.map(enter, range(8)))
            assert len({(registration.recording_id, registration.job_id) for registration in results}) == 1
            sql("UPDATE whiteboard_session_recordings SET is_processing = false")

    recordings = sql("SELECT * FROM whiteboard_session_recordings")
    assert len(recordings) == len(sql("SELECT * FROM jobs")) == 3
    assert len({row.spool_name for row in recordings}) <= 8


def test_without_its_commit_there_is_neither_row_nor_order(database: Database, new: MakeRecording, sql: Sql) -> None:
    with pytest.raises(RuntimeError), database.transaction() as session:
        register_recording(session, new())
        raise RuntimeError

    assert sql("SELECT 1 FROM whiteboard_session_recordings") == sql("SELECT 1 FROM jobs") == []
