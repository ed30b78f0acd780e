"""Register a recording: its row and the order to ingest it, in the caller's transaction."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.errors import Unavailable
from worker.jobs.enqueue import enqueue
from worker.jobs.operations.reading import read_jobs
from worker.jobs.orders.recording_orders import IngestRecording

_LIVE = text("source_sha1 IS NOT NULL AND (is_processing OR is_available)")


@dataclass(frozen=True)
class NewRecording:
    """Uploaded bytes and what their sender says about them."""

    session_id: int
    title: str
    type: str
    recorded_by: int | None
    principal: str
    spool_id: str
    spool_name: str
    size_bytes: int
    sha1: str
    filename: str | None = None
    started_at: datetime | None = None
    # Server time minus the recording device's time.
    clock_offset_ms: int | None = None
    # The recorder's pauses and gaps.
    marks: list[Any] | None = None
    # Whether the upload was abandoned, so that the end is missing.
    is_recovered: bool = False
    # The kind of job that made the bytes; None: a recorder.
    origin: str | None = None


@dataclass(frozen=True)
class RegistrationResult:
    """The recording and its ingest job; `is_new` is False when these bytes were registered already."""

    recording_id: int
    job_id: UUID | None
    is_new: bool


def register_recording(session: Session, new: NewRecording) -> RegistrationResult:
    """Write the row and enqueue its ingest, or find the live recording of the same bytes in this session and type.

    A failed or deleted recording is not live: its bytes are ingested again.
    """
    # The live recording may fail between the INSERT and the SELECT; the next round then inserts.
    for _round in range(3):
        recording_id = session.scalar(
            insert(Recording)
            .values(**_columns(new))
            .on_conflict_do_nothing(index_elements=["session_id", "recording_type", "source_sha1"], index_where=_LIVE)
            .returning(Recording.id)
        )
        if recording_id is not None:
            return RegistrationResult(recording_id, _order_ingest(session, recording_id, new), is_new=True)
        duplicate = session.execute(
            select(Recording.id, Recording.job_id).where(
                Recording.session_id == new.session_id,
                Recording.recording_type == new.type,
                Recording.source_sha1 == new.sha1,
                Recording.is_processing | Recording.is_available,
            )
        ).one_or_none()
        if duplicate is not None:
            # Only the principal sees a job; another sender of the same bytes follows the recording instead.
            jobs = read_jobs(session, [duplicate.job_id]).values()
            shown = any(job.is_shown_to(new.principal) for job in jobs)
            return RegistrationResult(duplicate.id, duplicate.job_id if shown else None, is_new=False)
    raise Unavailable("The recording could not be registered; try again.")


def _columns(new: NewRecording) -> dict[str, object]:
    columns: dict[str, object] = {
        "session_id": new.session_id,
        "recording_title": new.title,
        "recording_type": new.type,
        "recorded_by": new.recorded_by,
        "source_sha1": new.sha1,
        "spool_id": new.spool_id,
        "spool_name": new.spool_name,
        "is_processing": True,
        "marks": new.marks,
        "recording_metadata": metadata_of(new),
    }
    if new.started_at is not None:
        columns["recording_date"] = new.started_at
    return columns


def metadata_of(new: NewRecording) -> dict[str, Any]:
    """The metadata of a recording before its ingest."""
    clock = {} if new.clock_offset_ms is None else {"clock_offset_ms": new.clock_offset_ms}
    return {
        "recorded_by": new.recorded_by,
        # The SHA-1 of the uploaded bytes, which names the objects.
        "digest": new.sha1,
        "source": {"filename": new.filename, "size_bytes": new.size_bytes},
        **clock,
        **({"recovered": True} if new.is_recovered else {}),
        **({} if new.origin is None else {"origin": new.origin}),
    }


def _order_ingest(session: Session, recording_id: int, new: NewRecording) -> UUID:
    order = IngestRecording(recording_id, new.session_id, new.spool_id, new.size_bytes)
    job_id = enqueue(session, order, principal=new.principal)
    session.execute(update(Recording).where(Recording.id == recording_id).values(job_id=job_id))
    return job_id
