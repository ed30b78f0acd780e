"""Recordings as the outside sees them: rows in the words of the tables."""

from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from models.recordings import Recording, RecordingAccess, Rendition
from worker.errors import NotFound


def find_recording(session: Session, recording_id: int, visible: ColumnElement[bool]) -> Recording:
    """The recording, if it is `visible` to who asks; NotFound otherwise."""
    recording = session.scalar(select(Recording).where(Recording.id == recording_id, visible))
    if recording is None:
        raise NotFound(f"There is no recording {recording_id}.")
    return recording


def list_recordings(
    session: Session, visible: ColumnElement[bool], *, session_id: int | None, before: int | None, limit: int
) -> tuple[list[Recording], int | None]:
    """Newest first: at most `limit` recordings with ids below `before`, and where the next page begins."""
    query = select(Recording).where(visible).order_by(Recording.id.desc()).limit(limit + 1)
    if session_id is not None:
        query = query.where(Recording.session_id == session_id)
    if before is not None:
        query = query.where(Recording.id < before)
    found = list(session.scalars(query))
    page = found[:limit]
    return page, page[-1].id if len(found) > limit else None


def record_access(session: Session, recording_id: int, admin_id: int, action: str) -> None:
    """Keep that an operator looked at somebody's recording."""
    session.add(RecordingAccess(recording_id=recording_id, admin_id=admin_id, action=action))


def rendition_view(rendition: Rendition, url: str | None) -> dict[str, Any]:
    """One output for a player; `url` is None until it is ready."""
    return {
        "name": rendition.name,
        "url": url,
        "mime": rendition.mime,
        "codecs": rendition.codecs,
        "width": rendition.width,
        "height": rendition.height,
        "bytes": rendition.bytes,
        "bit_rate": rendition.bit_rate,
        "state": rendition.state,
    }
