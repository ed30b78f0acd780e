"""Uploads in pieces that end: whole, abandoned, continued, deleted meanwhile; and what their recordings become."""

import errno
import hashlib
import os
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import requests
from sqlalchemy import true

from tests.conftest import SmallDisk
from tests.waiting import TIMEOUT
from tests.workflows.conftest import RecordingFixture
from worker.errors import OutOfSpace, Unavailable
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording, MakeRenditions, StoreSource
from worker.jobs.orders.routine_orders import SealUploads, SweepSpool
from worker.jobs.runs.perform import Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.limits.lease_rows import Bound
from worker.media.containers.first_bytes import refuse_other_files
from worker.recordings.outputs.order_renditions import order_renditions
from worker.recordings.outputs.playback import plan_playback
from worker.recordings.outputs.renditions import drop_old_sources
from worker.recordings.reading import find_recording
from worker.storage.signed_addresses import SignedAddresses
from worker.uploads.appender import Appender
from worker.uploads.upload_errors import UploadGone, UploadTakenOver, WrongOffset
from worker.uploads.upload_piece import UploadPiece
from worker.uploads.upload_rows import NewUpload
from worker.uploads.uploads import Uploads
from worker.workflows.context import WorkerContext
from worker.workflows.recordings.delete_recording import delete_recording
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.ingest_recording import ingest_recording
from worker.workflows.recordings.retry_recording import retry_recording
from worker.workflows.renditions.make_renditions import make_renditions
from worker.workflows.uploads.end_upload import finish_upload, recover_upload, terminate_upload
from worker.workflows.uploads.seal_uploads import expire_upload, seal_uploads
from worker.workflows.uploads.sweep_spool import sweep_spool

DAY = 86_400
# The first bytes of a file that may be a recording.
WEBM = bytes.fromhex("1a45dfa3")


class UploadFixture:
    """An upload of one person, stored and ended as the API and the workers do it."""

    def __init__(self, recordings: RecordingFixture, length: int | None = None) -> None:
        self.context: WorkerContext = recordings.context
        self.recordings = recordings
        self.uploads = Uploads(
            self.context.database,
            self.context.spool,
            "shared",
            largest=10**9,
            retention=DAY,
            bound=Bound("uploads", 8, 10**10),
            check_head=refuse_other_files,
        )
        self.id = self.uploads.new_id()
        new = NewUpload(
            id=self.id,
            principal="user:1",
            recorded_by=1,
            session_id=recordings.session_id,
            spool_id="shared",
            base_url=None,
            recording_type="video",
            length=length,
        )
        with self.context.database.transaction() as session:
            self.uploads.create(session, new)

    @property
    def file(self) -> Any:
        return self.context.spool.upload(self.id)

    @property
    def row(self) -> Any:
        return self.recordings.sql("SELECT * FROM uploads WHERE id = :id", id=self.id)[0]

    @property
    def recording(self) -> Any:
        return self.recordings.row(self.row.recording_id)

    def begin(self, offset: int, size: int, **piece: Any) -> Appender:
        appender = self.uploads.begin_piece(self.id, "user:1", UploadPiece(offset, size, **piece))
        assert isinstance(appender, Appender)
        return appender

    def send(self, content: bytes, offset: int = 0, **piece: Any) -> None:
        appender = self.begin(offset, len(content), **piece)
        appender.store(content, last=True)
        self.uploads.end_piece(self.id, appender)
        if appender.is_whole:
            finish_upload(self.context, self.id, appender.digest)

    def seal(self, idle: float = 0) -> str:
        """As the job does that finds it idle."""
        return recover_upload(self.context, self.id, idle=idle)

    def ingest(self) -> Any:
        return self.recordings.perform(IngestRecording, self.row.recording_id)

    def plays(self) -> bool:
        """Whether every address that a player gets opens."""
        with self.context.database.transaction() as session:
            recording = find_recording(session, self.row.recording_id, true())
            plan = plan_playback(session, recording)
            names = [row.object_name for row in plan.renditions if row.object_name is not None]
        addresses = SignedAddresses(self.context.store, plan.seconds)
        return bool(names) and all(requests.get(addresses.of(name), timeout=TIMEOUT).ok for name in names)

    def store(self) -> Any:
        return self.recordings.perform(StoreSource, self.row.recording_id)


@pytest.fixture
def upload(recordings: RecordingFixture, sample: bytes) -> UploadFixture:
    return UploadFixture(recordings, len(sample))


@pytest.fixture
def upload_of_any_length(recordings: RecordingFixture) -> UploadFixture:
    return UploadFixture(recordings)


def sha1(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def job(context: WorkerContext, order: Any, work: Any) -> Any:
    """The result of a job of the timetable."""
    with context.database.transaction() as session:
        job_id = enqueue(session, order)
    performer = Performer(context.database, "test", LeaseTiming(30, 10, 0.1), 0.01, FAILURE_HOOKS)
    performer.perform(job_id, lambda run, _order: work(run, context))
    with context.database.transaction() as session:
        return session.connection().exec_driver_sql("SELECT result FROM jobs WHERE id = %s", (job_id,)).scalar()


def test_an_abandoned_upload_is_a_recording_that_says_so(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:60_000])

    assert upload.seal() == "recovered"
    assert upload.ingest().state == "succeeded"

    recording = upload.recording
    assert (recording.is_available, recording.recording_metadata["recovered"]) == (True, True)
    assert recording.recording_metadata["source"]["truncated"] is True
    assert upload.store().state == "succeeded"
    assert upload.recordings.rendition(recording.id, "source").sha1 == sha1(sample[:60_000])


def test_an_upload_that_goes_on_later_makes_the_same_recording_better(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:60_000])
    upload.seal()
    upload.ingest()
    upload.store()
    first = upload.recording

    upload.send(sample[60_000:], 60_000)
    assert upload.recording.is_available
    assert upload.recording.recording_metadata["recovered"] is True
    assert upload.plays()
    assert upload.ingest().state == "succeeded"
    assert upload.store().state == "succeeded"

    assert upload.row.state == "finished"
    assert upload.plays()
    better = upload.recording
    assert better.id == first.id
    assert better.duration_seconds > first.duration_seconds
    assert "recovered" not in better.recording_metadata
    assert upload.recordings.rendition(better.id, "source").sha1 == sha1(sample)
    assert upload.recordings.sql("SELECT count(*) AS n FROM whiteboard_session_recordings")[0].n == 1
    assert upload.recordings.spooled() == []


def test_jobs_on_fewer_bytes_change_nothing_once_there_are_more(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:60_000])
    upload.seal()
    first = upload.recordings.due(IngestRecording, upload.row.recording_id)

    upload.send(sample[60_000:], 60_000)
    performer = Performer(upload.context.database, "test", LeaseTiming(30, 10, 0.1), 0.01, FAILURE_HOOKS)
    performer.perform(first, lambda run, order: ingest_recording(run, order, upload.context))

    assert not upload.recording.is_available
    assert upload.ingest().state == "succeeded"
    assert upload.store().state == "succeeded"
    assert upload.recordings.rendition(upload.recording.id, "source").sha1 == sha1(sample)


def test_bytes_appended_during_an_ingest_are_not_seen_by_it(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:60_000])
    upload.seal()
    name = upload.recording.spool_name

    upload.send(sample[60_000:61_000], 60_000)

    assert upload.context.spool.path(name).read_bytes() == sample[:60_000]
    assert upload.file.path.read_bytes() == sample[:61_000]
    assert upload.row.state == "open"


def test_a_continuation_that_has_no_room_for_its_copy_leaves_the_disk_as_it_is(
    recordings: RecordingFixture, small_disk: SmallDisk
) -> None:
    """A recording shares the bytes, so that they are copied before more can be appended."""
    settings = recordings.context.settings.model_copy(update={"spool_dir": small_disk("4m") / "spool"})
    recordings.context = WorkerContext(settings, recordings.context.database)
    upload = UploadFixture(recordings)
    upload.send(WEBM + bytes(3_000_000))
    assert upload.seal() == "recovered"
    waiting = recordings.spooled()

    with pytest.raises(OutOfSpace):
        upload.begin(upload.file.size(), 10)

    assert recordings.spooled() == waiting
    # To end it takes no copy.
    size = upload.file.size()
    upload.send(b"", size, length=size)
    assert (upload.row.state, upload.recording.file_size_bytes) == ("finished", None)
    assert len(recordings.spooled()) == 2


def test_a_recovered_upload_whose_last_request_died_is_finished(
    upload_of_any_length: UploadFixture, sample: bytes
) -> None:
    upload = upload_of_any_length
    upload.send(sample[:60_000])
    assert upload.seal() == "recovered"
    upload.begin(60_000, 0, length=60_000)

    assert upload.seal() == "finished"
    assert "recovered" not in upload.recording.recording_metadata


def test_the_file_of_a_recovered_upload_stays_from_the_request_that_continues_it(
    upload: UploadFixture, sample: bytes
) -> None:
    """Its first byte may arrive after the sweep has found the upload old."""
    half = len(sample) // 2
    upload.send(sample[:half])
    assert upload.seal() == "recovered"
    long_ago = time.time() - 2 * DAY
    os.utime(upload.file.path, (long_ago, long_ago))

    appender = upload.begin(half, len(sample) - half)
    assert not expire_upload(upload.context, upload.id, idle=DAY)

    appender.store(sample[half:], last=True)
    finish_upload(upload.context, upload.id, appender.digest)
    assert (upload.row.state, upload.row.recorded_bytes) == ("finished", len(sample))


def test_the_file_of_a_recovered_upload_that_nobody_continues_expires(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:1000])
    assert upload.seal() == "recovered"
    assert not expire_upload(upload.context, upload.id, idle=DAY)
    long_ago = time.time() - 2 * DAY
    os.utime(upload.file.path, (long_ago, long_ago))
    assert expire_upload(upload.context, upload.id, idle=DAY)
    assert not upload.file.path.exists()


def test_an_upload_abandoned_twice_is_extended_twice(upload: UploadFixture, sample: bytes) -> None:
    for start, end in ((0, 40_000), (40_000, 60_000)):
        upload.send(sample[start:end], start)
        assert upload.seal() == "recovered"
        assert upload.ingest().state == "succeeded"

    assert upload.recording.recording_metadata["source"]["size_bytes"] == 60_000
    # Nothing came since: the recording stays as it is.
    upload.send(b"", 60_000)
    assert upload.row.state == "open"
    assert upload.seal() == "recovered"
    assert upload.recording.recording_metadata["source"]["version"] == 1


def test_a_continuation_that_does_not_play_leaves_what_plays(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:60_000])
    upload.seal()
    upload.ingest()
    upload.send(sample[60_000:], 60_000)
    upload.recordings.sql("UPDATE jobs SET max_attempts = 1 WHERE state = 'queued' AND kind = 'recordings.ingest'")

    upload.recordings.lose(upload.recordings.begin(IngestRecording, upload.row.recording_id))

    recording = upload.recording
    assert (recording.is_available, recording.is_processing) == (True, False)
    assert recording.recording_metadata["recovered"] is True
    assert upload.plays()
    assert upload.store().state == "succeeded"
    assert upload.recordings.rendition(recording.id, "source").sha1 == sha1(sample)
    # It is the only file that has all of it.
    with upload.context.database.transaction() as session:
        drop_old_sources(session, datetime.now(UTC) + timedelta(days=1))
    assert upload.recordings.rendition(recording.id, "source") is not None


@pytest.mark.parametrize("is_stored", [False, True])
def test_a_continuation_that_did_not_play_is_ingested_again(
    upload: UploadFixture, sample: bytes, is_stored: bool
) -> None:
    upload.send(sample[:60_000])
    upload.seal()
    upload.ingest()
    first = upload.recording
    upload.send(sample[60_000:], 60_000)
    upload.recordings.sql("UPDATE jobs SET max_attempts = 1 WHERE state = 'queued' AND kind = 'recordings.ingest'")
    upload.recordings.lose(upload.recordings.begin(IngestRecording, first.id))
    if is_stored:
        upload.store()
        assert upload.recording.spool_name is None

    (part,) = retry_recording(upload.context.database, first.id, by="cli:maria")

    assert (part.part, part.error) == ("ingest", None)
    assert upload.ingest().state == "succeeded"
    better = upload.recording
    assert better.duration_seconds > first.duration_seconds
    assert "recovered" not in better.recording_metadata
    upload.store()
    assert upload.recordings.rendition(first.id, "source").sha1 == sha1(sample)
    assert upload.recordings.rendition(first.id, "source").state == "ready"
    assert retry_recording(upload.context.database, first.id, by="cli:maria") == []


def test_what_was_ordered_of_a_playable_recording_is_made_while_it_is_extended(
    upload: UploadFixture, sample: bytes
) -> None:
    upload.send(sample[:60_000])
    upload.seal()
    upload.ingest()
    recording_id = upload.row.recording_id
    with upload.context.database.transaction() as session:
        recording = find_recording(session, recording_id, true())
        order_renditions(session, recording, ["audio"], principal="user:1")
    upload.send(sample[60_000:], 60_000)

    assert upload.recordings.perform(MakeRenditions, recording_id, make_renditions).state == "succeeded"

    assert upload.recordings.rendition(recording_id, "audio").state == "ready"
    assert upload.plays()
    # Once all of it plays, what was made of less goes.
    assert upload.ingest().state == "succeeded"
    assert upload.recordings.rendition(recording_id, "audio") is None
    assert "playback_version" not in upload.recording.recording_metadata


def test_what_is_ordered_while_a_recording_is_extended_is_made_of_all_of_it(
    upload: UploadFixture, sample: bytes
) -> None:
    upload.send(sample[:60_000])
    upload.seal()
    upload.ingest()
    recording_id = upload.row.recording_id
    upload.send(sample[60_000:], 60_000)

    def order() -> UUID:
        with upload.context.database.transaction() as session:
            recording = find_recording(session, recording_id, true())
            return order_renditions(session, recording, ["audio"], principal="user:1")

    # A job that reads the shorter fast copy must not stand in for one that reads the whole.
    early = order()
    assert upload.ingest().state == "succeeded"
    assert order() != early


def test_an_upload_is_abandoned_although_the_clock_was_set_back(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:60_000])
    tomorrow = time.time() + DAY
    os.utime(upload.file.path, (tomorrow, tomorrow))

    assert upload.seal(idle=600) == "recovered"


def test_an_upload_without_bytes_is_given_back(upload: UploadFixture) -> None:
    assert upload.seal(idle=10_000) == "open"
    assert upload.seal() == "terminated"

    assert (upload.row.state, upload.recordings.spooled()) == ("terminated", [])
    with pytest.raises(UploadGone):
        upload.begin(0, 10)


def test_an_upload_whose_last_request_died_is_finished(upload: UploadFixture, sample: bytes) -> None:
    upload.begin(0, len(sample)).store(sample, last=True)

    assert upload.seal() == "finished"

    assert "recovered" not in upload.recording.recording_metadata
    assert upload.ingest().state == "succeeded"


def test_a_crash_before_the_commit_is_repeated(upload: UploadFixture, sample: bytes) -> None:
    upload.begin(0, len(sample)).store(sample, last=True)
    os.link(upload.file.path, upload.context.spool.target(upload.id))

    finish_upload(upload.context, upload.id)
    finish_upload(upload.context, upload.id)

    assert upload.row.state == "finished"
    assert upload.context.spool.path(upload.recording.spool_name).read_bytes() == sample


def test_an_upload_that_is_continued_by_an_empty_piece_after_a_crash_is_finished(
    upload: UploadFixture, sample: bytes
) -> None:
    upload.begin(0, len(sample)).store(sample, last=True)
    # What an attempt leaves whose transaction failed.
    with upload.file.locked() as locked:
        locked.share_as(upload.context.spool.target(upload.id))

    upload.send(b"", len(sample))

    assert upload.row.state == "finished"
    assert upload.context.spool.path(upload.recording.spool_name).read_bytes() == sample


def test_bytes_whose_flush_failed_are_not_acknowledged_later(
    upload: UploadFixture, sample: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload.send(sample[:1000])

    def fail(_descriptor: int) -> None:
        raise OSError(errno.EIO, "The disk is broken.")

    with monkeypatch.context() as broken:
        broken.setattr("os.fdatasync", fail)
        with pytest.raises(OSError, match="broken"):
            upload.begin(1000, 500).store(sample[1000:1500], last=True)

    # The kernel would report no error of these 500 bytes again.
    assert upload.uploads.take_over(upload.id, "user:1").offset == 1000
    upload.send(sample[1000:], 1000)
    assert upload.recordings.row(upload.row.recording_id).source_sha1 == sha1(sample)


def test_a_request_that_was_replaced_stores_nothing(upload: UploadFixture, sample: bytes) -> None:
    stale = upload.begin(0, 2000)
    stale.store(sample[:1000])

    assert upload.uploads.take_over(upload.id, "user:1").offset == 1000
    with pytest.raises(UploadTakenOver):
        stale.store(sample[1000:2000])

    second = upload.begin(1000, 500)
    upload.begin(1000, 500).store(sample[1000:1500], last=True)
    with pytest.raises(UploadTakenOver):
        second.store(b"z" * 500)
    with pytest.raises(WrongOffset):
        upload.begin(1000, 500)
    assert upload.file.path.read_bytes() == sample[:1500]


def test_a_sealed_upload_takes_nothing_of_a_stale_request(upload: UploadFixture, sample: bytes) -> None:
    stale = upload.begin(0, 2000)
    stale.store(sample[:1000])
    upload.seal()

    with pytest.raises(UploadTakenOver):
        stale.store(sample[1000:2000])


def test_a_deleted_recording_does_not_come_back(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:60_000])
    upload.seal()
    with upload.context.database.transaction() as session:
        delete_recording(session, upload.row.recording_id, principal="user:1")

    with pytest.raises(UploadGone):
        upload.send(sample[60_000:], 60_000)
    assert (upload.row.state, upload.row.recording_id) == ("terminated", None)


def test_bytes_that_were_uploaded_by_the_form_meanwhile_are_one_recording(
    recordings: RecordingFixture, upload: UploadFixture, sample: bytes
) -> None:
    recording_id = recordings.arrive(sample)

    upload.send(sample)

    assert (upload.row.state, upload.row.recording_id) == ("finished", recording_id)
    assert recordings.spooled() == [recordings.row(recording_id).spool_name]


def test_a_terminated_upload_leaves_no_file(upload: UploadFixture, sample: bytes) -> None:
    upload.send(sample[:1000])

    terminate_upload(upload.context, upload.id)
    terminate_upload(upload.context, upload.id)

    assert (upload.row.state, upload.recordings.spooled()) == ("terminated", [])


class TestJob:
    """`uploads.seal` and `upkeep.sweep_spool`."""

    def test_it_ends_what_nobody_continues(self, recordings: RecordingFixture, sample: bytes) -> None:
        idle, running, empty = (UploadFixture(recordings, len(sample)) for _ in range(3))
        for each in (idle, running):
            each.send(sample[:60_000])
        recordings.sql("UPDATE uploads SET created_at = now() - interval '1 h'")
        long_ago = time.time() - 700
        for each in (idle, empty):
            os.utime(each.file.path, (long_ago, long_ago))

        result = job(recordings.context, SealUploads("shared"), seal_uploads)

        assert result == {"recovered": 1, "terminated": 1}
        assert [each.row.state for each in (idle, running, empty)] == ["recovered", "open", "terminated"]

    def test_one_whose_file_is_damaged_does_not_hold_up_the_others(
        self, recordings: RecordingFixture, sample: bytes
    ) -> None:
        first, second = (UploadFixture(recordings, len(sample)) for _ in range(2))
        first.send(sample[:60_000])
        second.send(sample[:50_000])
        recordings.sql("UPDATE uploads SET created_at = now() - interval '1 h'")
        for each in (first, second):
            os.utime(each.file.path, (0, 0))
        first.file.path.with_suffix(".lock").unlink()

        result = job(recordings.context, SealUploads("shared"), seal_uploads)

        assert result == {"recovered": 1, "failed": 1}
        assert (first.row.state, second.row.state) == ("open", "recovered")
        assert first.file.path.read_bytes() == sample[:60_000]

    def test_one_whose_recording_cannot_be_written_does_not_hold_up_the_others(
        self, recordings: RecordingFixture, sample: bytes
    ) -> None:
        uploads = [UploadFixture(recordings, len(sample)) for _ in range(2)]
        for number, each in enumerate(uploads):
            each.send(sample[: 60_000 + number])
            os.utime(each.file.path, (0, 0))
        recordings.sql("UPDATE uploads SET created_at = now() - interval '1 h'")
        # No recording may have this type.
        recordings.sql("ALTER TABLE uploads DROP CONSTRAINT ck_uploads_recording_type")
        recordings.sql("UPDATE uploads SET recording_type = 'opera' WHERE id = :id", id=uploads[0].id)

        result = job(recordings.context, SealUploads("shared"), seal_uploads)

        assert result == {"recovered": 1, "failed": 1}
        assert [each.row.state for each in uploads] == ["open", "recovered"]

    def test_a_spool_that_is_not_mounted_ends_no_upload(self, recordings: RecordingFixture, sample: bytes) -> None:
        upload = UploadFixture(recordings, len(sample))
        upload.send(sample[:60_000])
        recordings.sql("UPDATE uploads SET created_at = now() - interval '1 h'")
        aside = upload.file.path.rename(upload.file.path.with_suffix(".aside"))

        assert job(recordings.context, SealUploads("shared"), seal_uploads) == {"failed": 1}
        assert upload.row.state == "open"
        # A client that heard that it is gone would begin another recording.
        with pytest.raises(Unavailable, match="mounted"):
            upload.uploads.take_over(upload.id, "user:1")
        with pytest.raises(Unavailable, match="mounted"):
            upload.begin(60_000, 10)

        aside.rename(upload.file.path)
        assert upload.seal() == "recovered"

    def test_an_upload_without_its_file_ends_when_nobody_expects_it_any_more(
        self, recordings: RecordingFixture, sample: bytes
    ) -> None:
        upload = UploadFixture(recordings, len(sample))
        upload.file.remove()
        recordings.sql("UPDATE uploads SET created_at = now() - interval '8 d', updated_at = now() - interval '8 d'")

        assert job(recordings.context, SealUploads("shared"), seal_uploads) == {"terminated": 1}
        assert upload.row.state == "terminated"

    def test_an_upload_that_was_finished_meanwhile_stays_finished(
        self, recordings: RecordingFixture, sample: bytes
    ) -> None:
        upload = UploadFixture(recordings, len(sample))
        upload.send(sample)
        assert not upload.file.path.exists()

        # Listed as open a moment before.
        assert upload.seal() == "finished"
        assert upload.row.state == "finished"

    def test_the_file_of_an_open_upload_is_never_swept(self, recordings: RecordingFixture, sample: bytes) -> None:
        upload = UploadFixture(recordings, len(sample))
        upload.send(sample[:60_000])
        ten_days_ago = time.time() - 10 * DAY
        os.utime(upload.file.path, (ten_days_ago, ten_days_ago))

        assert job(recordings.context, SweepSpool("shared"), sweep_spool)["files"] == 0
        assert upload.seal() == "recovered"

    def test_bytes_that_are_just_becoming_a_recording_are_not_swept(
        self, recordings: RecordingFixture, sample: bytes
    ) -> None:
        upload = UploadFixture(recordings, len(sample))
        upload.send(sample[:60_000])
        two_days_ago = time.time() - 2 * DAY
        os.utime(upload.file.path, (two_days_ago, two_days_ago))
        target = recordings.context.spool.target("ab" * 16)
        with upload.file.locked() as locked:
            locked.share_as(target)

            # The row that names it has not been committed.
            assert job(recordings.context, SweepSpool("shared"), sweep_spool)["files"] == 0
        assert target.read_bytes() == sample[:60_000]

    def test_files_of_uploads_stay_while_they_may_go_on(self, recordings: RecordingFixture, sample: bytes) -> None:
        recovered, ended, running = (UploadFixture(recordings, len(sample)) for _ in range(3))
        for each in (recovered, ended, running):
            each.send(sample[:60_000])
        recovered.seal()
        recordings.sql("UPDATE uploads SET state = 'terminated' WHERE id = :id", id=ended.id)
        two_days_ago, ten_days_ago = time.time() - 2 * DAY, time.time() - 10 * DAY
        for each in (recovered, ended):
            os.utime(each.file.path, (two_days_ago, two_days_ago))

        assert job(recordings.context, SweepSpool("shared"), sweep_spool)["files"] == 1
        assert [each.file.path.exists() for each in (recovered, ended, running)] == [True, False, True]

        os.utime(recovered.file.path, (ten_days_ago, ten_days_ago))
        assert job(recordings.context, SweepSpool("shared"), sweep_spool)["files"] == 1
        with pytest.raises(UploadGone):
            recovered.send(sample[60_000:], 60_000)
        assert recovered.row.state == "recovered"
