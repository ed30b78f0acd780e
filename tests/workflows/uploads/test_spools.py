"""Several machines with separate spools: what each holds, its upkeep, and what is unreachable."""

from tests.workflows.conftest import RecordingFixture
from worker.database import Database
from worker.jobs.heartbeats import HeartbeatWriter
from worker.jobs.orders.recording_orders import IngestRecording, RemoveRecordingFiles, StoreSource
from worker.jobs.orders.routine_orders import FillSeries, SealUploads, SweepSpool
from worker.workflows.recordings.delete_recording import delete_recording
from worker.workflows.uploads.spools import SpoolUse, orders_of_tick, unreachable_spools, used_spools


def unreachable(database: Database) -> list[str]:
    with database.transaction() as session:
        return unreachable_spools(session, interval=10)


def test_a_spool_is_in_use_until_its_bytes_are_on_b2(recordings: RecordingFixture, sample: bytes) -> None:
    recording_id = recordings.arrive(sample)
    with recordings.database.transaction() as session:
        assert used_spools(session) == [SpoolUse("shared", recordings=1, uploads=0)]
    (sentence,) = unreachable(recordings.database)
    assert sentence.startswith("the spool shared has bytes that are nowhere else (recordings: 1, open uploads: 0)")
    assert sentence.endswith("no worker consumes its queue media.shared")
    HeartbeatWriter(recordings.database, "a", "consumer", interval=10, queues=("media.shared",)).beat()
    assert unreachable(recordings.database) == []
    assert recordings.perform(IngestRecording, recording_id).state == "succeeded"
    assert recordings.perform(StoreSource, recording_id).state == "succeeded"
    with recordings.database.transaction() as session:
        assert used_spools(session) == []


def test_upkeep_of_a_spool_is_ordered_for_each_one_in_use(recordings: RecordingFixture, sample: bytes) -> None:
    recordings.arrive(sample)
    recordings.arrive(sample + b"1", spool_id="addis-2")
    with recordings.database.transaction() as session:
        assert orders_of_tick(session, FillSeries()) == [FillSeries()]
        assert orders_of_tick(session, SealUploads("addis-1")) == [
            SealUploads(name) for name in ("addis-1", "addis-2", "shared")
        ]
        assert orders_of_tick(session, SweepSpool("shared")) == [SweepSpool("shared"), SweepSpool("addis-2")]


def test_any_machine_removes_a_recording_whose_bytes_have_left_the_spool(
    recordings: RecordingFixture, sample: bytes
) -> None:
    """The machine that received it may not exist any more."""
    recording_id = recordings.arrive(sample, spool_id="addis-2")
    other = recordings.arrive(sample + b"1", spool_id="addis-2")
    recordings.sql("UPDATE whiteboard_session_recordings SET spool_name = NULL WHERE id = :id", id=recording_id)
    with recordings.database.transaction() as session:
        delete_recording(session, recording_id, principal="user:1")
        delete_recording(session, other, principal="user:1")
    removals = "SELECT DISTINCT queue FROM jobs WHERE kind = :kind AND args->>'spool_name' IS {} NULL"
    assert recordings.sql(removals.format(""), kind=RemoveRecordingFiles.kind) == [("media",)]
    assert recordings.sql(removals.format("NOT"), kind=RemoveRecordingFiles.kind) == [("media.addis-2",)]
