"""Order renditions: a row for each, pending, and one job that makes all of them."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.errors import NotFound
from worker.jobs.enqueue import enqueue
from worker.jobs.recording_orders import MakeRenditions
from worker.recordings.rendition_rules import RENDITIONS
from worker.recordings.renditions import set_rendition
from worker.recordings.source import lock_recording, version_of

_NOTHING_YET = {
    "object_name": None,
    "file_id": None,
    "sha1": None,
    "bytes": None,
    "mime": None,
    "codecs": None,
    "width": None,
    "height": None,
    "bit_rate": None,
    "duration_ms": None,
    "segments": None,
}


def renditions_order(recording: Recording) -> MakeRenditions:
    """The order that makes the pending renditions of this recording."""
    seconds = recording.duration_seconds or 0
    return MakeRenditions(recording.id, recording.session_id, seconds, version_of(recording))


def order_renditions(session: Session, recording: Recording, names: Sequence[str], *, principal: str) -> UUID:
    """Order these renditions of an available recording; returns the job that makes them.

    Those that are ready stay as they are. The job is locked before the rows, as by its own end: it either finds the
    rows that are committed here, or has ended, and another one is queued. Raises NotFound for a deleted recording.
    """
    job_id = enqueue(session, renditions_order(recording), principal=principal, lock=True)
    if lock_recording(session, recording.id) is None:
        raise NotFound(f"There is no recording {recording.id}.")
    ready = set(ready_names(session, recording.id))
    for name in names:
        if name not in ready:
            set_rendition(session, recording.id, name, state="pending", reason=None, **_NOTHING_YET)
    return job_id


def drop_renditions(session: Session, recording_id: int) -> None:
    """Delete the rows that were made from an earlier fast copy; the sweep removes their objects."""
    session.execute(delete(Rendition).where(Rendition.recording_id == recording_id, Rendition.name.in_(RENDITIONS)))


def ready_names(session: Session, recording_id: int) -> list[str]:
    """The names of its renditions that are ready."""
    return _names(session, recording_id, "ready")


def pending_names(session: Session, recording_id: int) -> list[str]:
    """The names of its renditions that are to be made, in the order in which that happens."""
    pending = set(_names(session, recording_id, "pending"))
    return [name for name in RENDITIONS if name in pending]


def retry_failed(session: Session, recording_id: int) -> list[str]:
    """Mark its failed renditions as pending again; returns their names in the order in which they are made."""
    for name in _names(session, recording_id, "failed"):
        set_rendition(session, recording_id, name, state="pending", reason=None)
    return pending_names(session, recording_id)


def give_up_pending(session: Session, recording_id: int, reason: str) -> None:
    """Mark its pending renditions as failed: the job that should make them has ended."""
    for name in pending_names(session, recording_id):
        set_rendition(session, recording_id, name, state="failed", reason=reason)


def _names(session: Session, recording_id: int, state: str) -> list[str]:
    return list(
        session.scalars(
            select(Rendition.name).where(
                Rendition.recording_id == recording_id, Rendition.name.in_(RENDITIONS), Rendition.state == state
            )
        )
    )
