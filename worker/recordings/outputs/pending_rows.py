"""Rows that a job will fill: marked pending in the transaction that orders it, and ready or failed when it ends."""

from collections.abc import Callable, Collection, Iterable
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.errors import NotFound
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.order import Order
from worker.recordings.outputs.renditions import set_rendition
from worker.recordings.source import lock_recording

# Whether the job fills a row, by the row's name.
IsOne = Callable[[str], bool]

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
    "tiles": None,
}


class MoreOrdered(Exception):
    """More rows were marked pending while a job was filling others."""

    def __init__(self, names: Collection[str]) -> None:
        super().__init__(", ".join(names))
        self.names = names


def order_rows(session: Session, recording: Recording, order: Order, names: Iterable[str], *, principal: str) -> UUID:
    """Mark these rows as pending, and order the job that fills them; returns its id.

    Rows that are ready stay as they are. The job is locked before the rows, as when it ends: either it finds the rows
    committed here, or it has ended and another job is queued. Raises NotFound for a deleted recording.
    """
    job_id = enqueue(session, order, principal=principal, lock=True)
    if lock_recording(session, recording.id) is None:
        raise NotFound(f"There is no recording {recording.id}.")
    ready = names_in(session, recording.id, "ready")
    mark_pending(session, recording.id, (name for name in names if name not in ready))
    return job_id


def mark_pending(session: Session, recording_id: int, names: Iterable[str]) -> None:
    """Mark these rows as pending; they name no object until they are filled."""
    for name in names:
        set_rendition(session, recording_id, name, state="pending", reason=None, **_NOTHING_YET)


def names_in(session: Session, recording_id: int, state: str) -> set[str]:
    """The names of a recording's rows in this state."""
    rows = select(Rendition.name).where(Rendition.recording_id == recording_id, Rendition.state == state)
    return set(session.scalars(rows))


def begin_pending(session: Session, recording_id: int, is_one: IsOne) -> set[str]:
    """The names of pending rows; if there are none, failed rows become pending again."""
    pending = set(filter(is_one, names_in(session, recording_id, "pending")))
    if pending:
        return pending
    failed = set(filter(is_one, names_in(session, recording_id, "failed")))
    for name in failed:
        set_rendition(session, recording_id, name, state="pending", reason=None)
    return failed


def require_none_pending(session: Session, recording_id: int, is_one: IsOne) -> None:
    """Raise MoreOrdered if rows that the job fills are still pending, so that it must not end yet."""
    pending = set(filter(is_one, names_in(session, recording_id, "pending")))
    if pending:
        raise MoreOrdered(pending)


def give_up_pending(session: Session, recording_id: int, is_one: IsOne, reason: str) -> None:
    """Mark pending rows as failed, because the job that should fill them has ended."""
    for name in filter(is_one, names_in(session, recording_id, "pending")):
        set_rendition(session, recording_id, name, state="failed", reason=reason)
