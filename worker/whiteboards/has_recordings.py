"""Maintain whiteboard_sessions.has_recordings."""

from sqlalchemy import exists, select, update
from sqlalchemy.orm import Session

from models.recordings import Recording
from models.whiteboards import WhiteboardSession


def mark_recorded(session: Session, session_id: int) -> None:
    """Set `has_recordings` to whether a recording of this session can be watched; idempotent."""
    available = exists().where(Recording.session_id == session_id, Recording.is_available)
    session.flush()
    session.execute(
        update(WhiteboardSession)
        .where(WhiteboardSession.id == session_id)
        .values(has_recordings=select(available).scalar_subquery())
    )
