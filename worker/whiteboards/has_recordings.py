"""Maintain whiteboard_sessions.has_recordings."""

from sqlalchemy import column, exists, select, table, update
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardSession

_AVAILABLE = table("available_recordings", column("session_id"))


def mark_recorded(session: Session, session_id: int) -> None:
    """Set `has_recordings` to whether a recording of this session can be watched; idempotent."""
    available = exists().where(_AVAILABLE.c.session_id == session_id)
    session.flush()
    session.execute(
        update(WhiteboardSession)
        .where(WhiteboardSession.id == session_id)
        .values(has_recordings=select(available).scalar_subquery())
    )
