"""A session begins, people come and go, it ends. Each moment is written down once."""

from datetime import datetime

from sqlalchemy import func
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardEvent, WhiteboardSession
from worker.access.callers import Caller
from worker.access.session_role import SessionRole
from worker.access.visibility import session_and_role
from worker.errors import Conflict, Forbidden
from worker.whiteboards.events import record_event
from worker.whiteboards.sessions import lead_session


def start_session(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """Begin the lesson; a session in progress stays as it is.

    Raises NotFound, Forbidden, Conflict for one that is over.
    """
    found, standing = lead_session(session, caller, session_id)
    if found.status == "in_progress":
        return found
    if found.status != "scheduled":
        raise Conflict(f"Session {session_id} is {found.status}; it cannot be started again.")
    found.status = "in_progress"
    found.actual_start = found.updated_at = func.now()
    record_event(session, session_id, "start", standing)
    return found


def end_session(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """End the lesson; a completed one stays as it is. Raises NotFound, Forbidden, Conflict when it never began."""
    found, standing = lead_session(session, caller, session_id)
    if found.status == "completed":
        return found
    if found.status != "in_progress":
        raise Conflict(f"Session {session_id} is {found.status}; only a session in progress can end.")
    complete_session(session, found, standing)
    return found


def join_session(session: Session, caller: Caller, session_id: int) -> WhiteboardEvent:
    """Write down that the caller came. Raises NotFound, Forbidden for those who only look on, Conflict when over."""
    found, standing = session_and_role(session, caller, session_id)
    if standing is None:
        raise Forbidden("Only those who take part in this session can join it.")
    if found.status in {"completed", "cancelled"}:
        raise Conflict(f"Session {session_id} is {found.status}; nobody can join it any more.")
    return record_event(session, session_id, "join", standing)


def leave_session(session: Session, caller: Caller, session_id: int) -> WhiteboardEvent:
    """Write down that the caller went, also after the end. Raises NotFound, Forbidden for those who only look on."""
    _found, standing = session_and_role(session, caller, session_id)
    if standing is None:
        raise Forbidden("Only those who take part in this session can leave it.")
    return record_event(session, session_id, "leave", standing)


def complete_session(
    session: Session, found: WhiteboardSession, standing: SessionRole | None, *, at: datetime | None = None
) -> None:
    """Write down that a locked session in progress ended: now, or `at` when the worker (no standing) finds it later."""
    found.status = "completed"
    found.is_recording = False
    found.updated_at = func.now()
    found.actual_end = at or func.now()
    record_event(session, found.id, "end", standing)
