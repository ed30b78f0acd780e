"""Order renditions: a pending row for each, and one job that makes all of them."""

from collections.abc import Collection, Sequence
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.recordings import Recording, Rendition
from worker.jobs.orders.recording_orders import MakeRenditions
from worker.recordings.outputs.pending_rows import order_rows
from worker.recordings.outputs.rendition_rules import RENDITIONS
from worker.recordings.source import playback_version_of


def renditions_order(recording: Recording) -> MakeRenditions:
    """The order that makes the pending renditions of this recording."""
    seconds = recording.duration_seconds or 0
    return MakeRenditions(recording.id, recording.session_id, seconds, playback_version_of(recording))


def order_renditions(session: Session, recording: Recording, names: Sequence[str], *, principal: str) -> UUID:
    """Order those of these renditions of an available recording that are not ready; returns the job.

    Raises NotFound for a deleted recording.
    """
    return order_rows(session, recording, renditions_order(recording), names, principal=principal)


def drop_renditions(session: Session, recording_id: int) -> None:
    """Delete the rows that were made from an earlier fast copy; the sweep removes their objects."""
    session.execute(delete(Rendition).where(Rendition.recording_id == recording_id, Rendition.name.in_(RENDITIONS)))


def is_rendition(name: str) -> bool:
    """Whether the job of renditions fills this row."""
    return name in RENDITIONS


def in_order(names: Collection[str]) -> list[str]:
    """These renditions in the order in which they are made."""
    return [name for name in RENDITIONS if name in names]
