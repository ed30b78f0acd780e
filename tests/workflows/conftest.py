"""Workflows on real parts: jobs are claimed and performed as a worker does it, against a bucket of the test's own."""

import hashlib
import secrets
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any
from uuid import UUID

import pytest
from b2sdk.v3 import B2Api, InMemoryAccountInfo

from devstack.emulator.credentials import Credentials
from tests.conftest import MakeSettings, School, Sql
from tests.waiting import wait_for
from worker.access.callers import UserCaller
from worker.bookings.requests import NewRequest
from worker.database import Database
from worker.jobs.orders.order import Order
from worker.jobs.orders.recording_orders import IngestRecording, MakePictures, RemoveRecordingFiles, StoreSource
from worker.jobs.reaper import reap
from worker.jobs.runs.claim import claim
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.recordings.ingest.register import NewRecording, register_recording
from worker.schedules.planning import Planning
from worker.storage.ownership import MARK
from worker.storage.restores import HISTORY
from worker.workflows.context import WorkerContext
from worker.workflows.lessons.accept_request import Acceptance, accept_request
from worker.workflows.lessons.change_booking import change_booking
from worker.workflows.lessons.session_requests import request_lessons
from worker.workflows.pictures.make_pictures import make_pictures
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS
from worker.workflows.recordings.ingest_recording import ingest_recording
from worker.workflows.recordings.remove_files import remove_recording_files
from worker.workflows.recordings.store_source import store_source

DATA = Path(__file__).parent.parent / "data"
TIMING = LeaseTiming(lease=30, renewal=10, heartbeat=0.05)
WORK: dict[type[Order], Callable[[JobRun, Any, WorkerContext], None]] = {
    IngestRecording: ingest_recording,
    StoreSource: store_source,
    MakePictures: make_pictures,
    RemoveRecordingFiles: remove_recording_files,
}


class RecordingFixture:
    """A recording: its upload, its jobs and what is stored of it."""

    def __init__(self, context: WorkerContext, session_id: int, sql: Sql) -> None:
        self.context = context
        self.database: Database = context.database
        self.sql = sql
        self.session_id = session_id

    def arrive(self, content: bytes, **changes: Any) -> int:
        """Write bytes to the spool and register them; returns the recording's id."""
        with self.context.spool.receive(limit=10**9) as receiver:
            receiver.write(content)
            file = receiver.seal()
        values: dict[str, Any] = {
            "session_id": self.session_id,
            "title": "Lesson",
            "type": "video",
            "recorded_by": 1,
            "principal": "user:1",
            "spool_id": self.context.settings.spool_id,
            "spool_name": file.name,
            "size_bytes": file.size,
            "sha1": file.sha1,
        }
        with self.database.transaction() as session:
            return register_recording(session, NewRecording(**{**values, **changes})).recording_id

    def due(self, order: type[Order], recording_id: int) -> UUID:
        """The newest job of that kind about the recording, due now."""
        self.sql("UPDATE jobs SET run_at = now() WHERE state IN ('queued', 'published', 'retryable')")
        statement = "SELECT id FROM jobs WHERE kind = :kind AND subject = :subject ORDER BY created_at DESC LIMIT 1"
        job_id: UUID = self.sql(statement, kind=order.kind, subject=f"recording:{recording_id}")[0].id
        return job_id

    def perform(
        self, order: type[Order], recording_id: int, work: Any = None, *, context: WorkerContext | None = None
    ) -> Any:
        """Perform that job as a worker does, with another context if one is passed; returns its row."""
        job_id = self.due(order, recording_id)
        do = work or WORK[order]
        performer = Performer(self.database, "test", TIMING, 0.01, FAILURE_HOOKS)
        with suppress(JobNotDone):  # what the ledger says of it is what counts
            performer.perform(job_id, lambda run, done: do(run, done, context or self.context))
        return self.job(job_id)

    def begin(self, order: type[Order], recording_id: int) -> JobRun:
        """Claim that job and do nothing with it, like a worker that is about to die."""
        with self.database.transaction() as session:
            claimed = claim(session, self.due(order, recording_id), worker="dying", lease=30)
        assert claimed is not None
        return JobRun(self.database, claimed, TIMING)

    def lose(self, run: JobRun) -> None:
        """The lease expires and the job is queued again."""
        self.sql("UPDATE jobs SET lease_until = now() - interval '1 s' WHERE id = :id", id=run.claim.job_id)
        assert reap(self.database, FAILURE_HOOKS) == 1

    def job(self, job_id: UUID) -> Any:
        return self.sql("SELECT * FROM jobs WHERE id = :id", id=job_id)[0]

    def row(self, recording_id: int) -> Any:
        rows = self.sql("SELECT * FROM whiteboard_session_recordings WHERE id = :id", id=recording_id)
        return rows[0] if rows else None

    def rendition(self, recording_id: int, name: str) -> Any:
        rows = self.sql(
            "SELECT * FROM recording_renditions WHERE recording_id = :id AND name = :name", id=recording_id, name=name
        )
        return rows[0] if rows else None

    def spooled(self) -> list[str]:
        spool = self.context.settings.spool_dir
        return sorted(str(path.relative_to(spool)) for path in spool.rglob("*") if path.name != "work")


# Types of fixtures that are functions.
Versions = Callable[[], list[tuple[str, str]]]
Put = Callable[[str], str]
WithFfmpeg = Callable[[str], WorkerContext]


@pytest.fixture
def context(settings: MakeSettings, database: Database, b2: Credentials) -> WorkerContext:
    context = WorkerContext(settings(spool_reserve_bytes=0), database)
    context.store.prepare_bucket()
    return context


@pytest.fixture
def versions(context: WorkerContext, b2: Credentials) -> Versions:
    """`versions()`: (name, file id) of every version in the bucket, without the markers of its owner."""
    api = B2Api(InMemoryAccountInfo())
    api.authorize_account(b2.key_id, b2.application_key, realm=b2.realm)
    bucket = api.get_bucket_by_name(context.settings.backblaze_bucket_name)

    def list_versions() -> list[tuple[str, str]]:
        files = (version for version, _ in bucket.ls("", latest_only=False, recursive=True))
        return [(version.file_name, version.id_) for version in files if version.file_name not in {MARK, HISTORY}]

    return list_versions


@pytest.fixture
def recordings(context: WorkerContext, school: School, sql: Sql) -> RecordingFixture:
    statement = "INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id"
    ((session_id,),) = sql(statement, booking=school.booking_id)
    return RecordingFixture(context, session_id, sql)


@pytest.fixture
def sample() -> bytes:
    """The smallest of the recordings a real Chromium made: sound alone, 12 s."""
    return (DATA / "audio.webm").read_bytes()


@pytest.fixture
def put(context: WorkerContext, tmp_path: Path) -> Put:
    """`put(name)`: an object of that name."""

    def upload(name: str) -> str:
        content = secrets.token_bytes(100)
        path = tmp_path / secrets.token_hex(8)
        path.write_bytes(content)
        sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
        return context.store.upload(path, name, content_type="video/webm", sha1=sha1).name

    return upload


@pytest.fixture
def with_ffmpeg(context: WorkerContext, tmp_path: Path) -> WithFfmpeg:
    """`with_ffmpeg(body)`: a context whose ffmpeg is this shell script; it calls the real one as `$FFMPEG "$@"`."""

    def replace(body: str) -> WorkerContext:
        script = tmp_path / "ffmpeg"
        script.write_text(f"#!/bin/bash\nFFMPEG={context.binaries.ffmpeg}\nlast=${{@: -1}}\n{body}\n")
        script.chmod(0o755)
        return WorkerContext(context.settings.model_copy(update={"ffmpeg_path": script}), context.database)

    return replace


class HeldFfmpeg:
    """Contexts whose ffmpeg waits, the first time that its arguments have `word` in them, until the test goes on."""

    def __init__(self, with_ffmpeg: WithFfmpeg, folder: Path) -> None:
        self._with_ffmpeg = with_ffmpeg
        self._begun, self._released = folder / "begun", folder / "released"

    @contextmanager
    def running(self, word: str, work: Callable[[WorkerContext], Any]) -> Iterator[Future[Any]]:
        """Do the work in a thread; the block begins when that ffmpeg runs, which goes on when the block ends."""
        context = self._with_ffmpeg(
            f"""case "$*" in *{word}*)
                   if [ ! -e {self._begun} ]; then
                       touch {self._begun}
                       until [ -e {self._released} ]; do sleep 0.02; done
                   fi;;
               esac
               exec "$FFMPEG" "$@\""""
        )
        with ThreadPoolExecutor(1) as pool:
            result = pool.submit(work, context)
            try:
                wait_for(lambda: self._begun.exists() or result.done())
                yield result
            finally:
                self._released.touch()


@pytest.fixture
def held_ffmpeg(with_ffmpeg: WithFfmpeg, tmp_path: Path) -> HeldFfmpeg:
    return HeldFfmpeg(with_ffmpeg, tmp_path)


class BookingFixture:
    """What the two families and the tutor 11 do on a Monday, at 11:00 in Addis Ababa, and what is stored then."""

    now = datetime(2026, 3, 2, 8, 0, tzinfo=UTC)
    acceptance = Acceptance(values={}, timezone="Africa/Addis_Ababa", planning=Planning(now, horizon_days=90))
    mondays: Mapping[str, Any] = MappingProxyType(
        {"recurrence_pattern": "every Monday", "start_time": "14:00", "end_time": "15:30"}
    )

    def __init__(self, database: Database, school: School, sql: Sql) -> None:
        self.database = database
        self.school = school
        self.sql = sql

    def count(self, table: str) -> int:
        return int(self.sql(f"SELECT count(*) FROM {table}")[0][0])  # noqa: S608 - names of this file

    def ask(
        self,
        who: UserCaller | None = None,
        schedule: Mapping[str, Any] | None = mondays,
        now: datetime = now,
        **values: Any,
    ) -> int:
        """Ask the tutor 11 for the package "Algebra"; returns the request's id."""
        caller = who or self.school.student
        values = {
            "package_name": "Algebra",
            "student_grade": "Grade 9",
            "schedule": None if schedule is None else dict(schedule),
        } | values
        with self.database.transaction() as session:
            student_id = values.pop("student_id", None)
            new = NewRequest(11, student_id, values)
            request = request_lessons(session, caller, new, now=now, timezone=self.acceptance.timezone)
            return request.id

    def accept(self, request_id: int, who: UserCaller | None = None, **changes: Any) -> Any:
        with self.database.transaction() as session:
            planning = {
                name: changes.pop(name) for name in ("now", "horizon_days", "skip_conflicts") if name in changes
            }
            acceptance = replace(self.acceptance, planning=replace(self.acceptance.planning, **planning), **changes)
            return accept_request(session, who or self.school.tutor, request_id, acceptance)

    def change(self, booking_id: int, now: datetime = now, **changes: Any) -> None:
        with self.database.transaction() as session:
            change_booking(session, self.school.tutor, booking_id, changes, Planning(now, horizon_days=90))

    def lessons(self, status: str = "scheduled") -> list[tuple[Any, ...]]:
        """(id, day, first student, all students) of the tutor's lessons of that status."""
        return self.sql(
            """
            SELECT id, schedule_date, student_id,
                   (SELECT array_agg(student_id ORDER BY student_id) FROM schedule_participants
                     WHERE schedule_id = lesson.id)
              FROM tutor_schedules lesson WHERE tutor_id = 11 AND status = :status ORDER BY starts_at, id
            """,
            status=status,
        )

    def days(self) -> list[date]:
        return [day for _, day, _, _ in self.lessons()]


@pytest.fixture
def bookings(database: Database, school: School, sql: Sql) -> BookingFixture:
    return BookingFixture(database, school, sql)
