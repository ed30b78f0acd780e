"""Order again every part of a recording that ended badly: ingest, renditions and pictures, source, other jobs."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.database import Database
from worker.errors import AstegniError, NotFound
from worker.jobs.enqueue import enqueue
from worker.jobs.operations.subject_jobs import newest_jobs
from worker.jobs.orders.recording_orders import (
    IngestRecording,
    MakePictures,
    MakeRenditions,
    RestoreRecording,
    StoreSource,
)
from worker.jobs.runs.cancel import retry_job
from worker.recordings.outputs.order_pictures import order_pictures
from worker.recordings.outputs.order_renditions import in_order, order_renditions
from worker.recordings.outputs.pending_rows import names_in
from worker.recordings.outputs.pictures import is_picture
from worker.recordings.reading import read_recording
from worker.recordings.source import lags_behind, lock_recording, version_of

# Ordered from the recording's rows, since their jobs may have been pruned.
_BY_ROWS = frozenset(order.kind for order in (IngestRecording, MakePictures, MakeRenditions, StoreSource))
_BAD_ENDS = ("failed", "dead")


@dataclass(frozen=True)
class RetriedPart:
    """A part of a recording that was ordered again, and the job; or, without a job, why it cannot be."""

    part: str
    job_id: UUID | None
    error: str | None = None


def retry_recording(database: Database, recording_id: int, *, by: str) -> list[RetriedPart]:
    """Order again what ended badly; nothing if all is well or in progress. Idempotent. Raises NotFound.

    Each part has its own transaction, which locks one job and then the recording (docs/decisions/0004).
    """
    with database.transaction() as session:
        recording = _read(session, recording_id)
        failed = names_in(session, recording_id, "failed")
        jobs = [job for job in newest_jobs(session, f"recording:{recording_id}") if job.kind not in _BY_ROWS]
    done: list[RetriedPart] = []
    is_adopted = any(job.kind == RestoreRecording.kind for job in jobs) and recording.spool_name is None
    failed_before_playing = recording.source_sha1 is not None and not (recording.is_available or is_adopted)
    if not recording.is_processing and (failed_before_playing or lags_behind(recording)):
        done += _try("ingest", database, lambda session: _ingest(session, recording_id, by))
    if recording.is_available:
        done += _retry_rows(database, recording_id, failed, by)
    for job in jobs:
        if job.state in _BAD_ENDS:
            done += _try(job.kind, database, partial(_retry, job_id=job.id, by=by))
    return done


def _retry_rows(database: Database, recording_id: int, failed: set[str], by: str) -> Iterator[RetriedPart]:
    renditions = in_order(failed)
    pictures = sorted(filter(is_picture, failed))
    if renditions:
        yield from _try(
            ", ".join(renditions),
            database,
            lambda session: order_renditions(session, _read(session, recording_id), renditions, principal=by),
        )
    if pictures:
        yield from _try(
            ", ".join(pictures),
            database,
            lambda session: order_pictures(session, _read(session, recording_id), pictures, principal=by),
        )
    if "source" in failed:
        yield from _try("source", database, lambda session: _source(session, recording_id, by))


def _try(part: str, database: Database, order: Callable[[Session], UUID]) -> list[RetriedPart]:
    try:
        with database.transaction() as session:
            return [RetriedPart(part, order(session))]
    except AstegniError as error:
        return [RetriedPart(part, None, error.detail)]


def _ingest(session: Session, recording_id: int, by: str) -> UUID:
    """Order the recording's own job again, or another one if it was pruned."""
    recording = _read(session, recording_id)
    # What a playable recording has in addition may have left the spool for B2.
    spool_id = (recording.spool_id or "shared") if recording.is_available else _spool_of(recording)
    if recording.job_id is not None:
        return _retry(session, recording.job_id, by)
    job_id = enqueue(
        session,
        IngestRecording(recording_id, recording.session_id, spool_id, _size(recording), version_of(recording)),
        principal=by,
        lock=True,
    )
    locked = lock_recording(session, recording_id)
    if locked is not None:
        locked.job_id = job_id
    return job_id


def _source(session: Session, recording_id: int, by: str) -> UUID:
    recording = _read(session, recording_id)
    spool_id = _spool_of(recording)
    order = StoreSource(recording_id, recording.session_id, spool_id, _size(recording), version_of(recording))
    return enqueue(session, order, principal=by)


def _retry(session: Session, job_id: UUID, by: str) -> UUID:
    retry_job(session, job_id, by=by)
    return job_id


def _read(session: Session, recording_id: int) -> Recording:
    recording = read_recording(session, recording_id)
    if recording is None:
        raise NotFound(f"There is no recording {recording_id}.")
    return recording


def _spool_of(recording: Recording) -> str:
    """The spool that has the uploaded bytes. Raises NotFound when they are no longer kept."""
    if recording.spool_id is None or recording.spool_name is None:
        raise NotFound(f"The bytes of recording {recording.id} are no longer in the spool. Upload it again.")
    return recording.spool_id


def _size(recording: Recording) -> int:
    size: int = (recording.recording_metadata or {}).get("source", {}).get("size_bytes", 0)
    return size
