"""The outputs of a recording, one row each: its kind, its object, and whether it is ready."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session, aliased

from models.recordings import Recording, Rendition
from worker.storage.objects import StoredObject


def set_rendition(session: Session, recording_id: int, name: str, **columns: Any) -> None:
    """Insert or update the row of one output; concurrent jobs write different rows."""
    values = {"recording_id": recording_id, "name": name, "updated_at": func.now(), **columns}
    statement = insert(Rendition).values(values)
    session.execute(statement.on_conflict_do_update(index_elements=["recording_id", "name"], set_=values))


def ready(stored: StoredObject) -> dict[str, Any]:
    """The columns of an output that is verified on B2."""
    return {
        "state": "ready",
        "reason": None,
        "object_name": stored.name,
        "file_id": stored.file_id,
        "sha1": stored.sha1,
        "bytes": stored.size,
    }


def renditions_of(session: Session, recording_id: int) -> Sequence[Rendition]:
    """All outputs of a recording: `playback` first, then in the order of creation."""
    query = select(Rendition).where(Rendition.recording_id == recording_id)
    return session.scalars(query.order_by(Rendition.name != "playback", Rendition.id)).all()


def named_objects(session: Session, recording_id: int) -> set[str]:
    """Objects that rows of this recording name; any other object below its prefix is an orphan."""
    names = session.scalars(
        select(Rendition.object_name)
        .join(Recording, Recording.id == Rendition.recording_id)
        .where(Rendition.recording_id == recording_id, Rendition.state == "ready")
    )
    return {name for name in names if name is not None}


def drop_old_sources(session: Session, stored_before: datetime) -> None:
    """Delete the rows of uploaded bytes that were stored before `stored_before` and whose recordings play.

    Not of a recording whose fast copy was made from fewer bytes: the rest of the lesson is nowhere else.
    """
    playback = aliased(Rendition)
    played = (
        select(playback.recording_id)
        .join(Recording, Recording.id == playback.recording_id)
        .where(
            playback.name == "playback",
            playback.state == "ready",
            Recording.recording_metadata["playback_version"].is_(None),
        )
    )
    session.execute(
        delete(Rendition).where(
            Rendition.name == "source",
            Rendition.state == "ready",
            Rendition.updated_at < stored_before,
            Rendition.recording_id.in_(played),
        )
    )


def is_named(session: Session, object_name: str) -> bool:
    """Whether a row names this object."""
    return session.scalar(select(Rendition.id).where(Rendition.object_name == object_name)) is not None
