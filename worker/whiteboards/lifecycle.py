"""Start and end sessions, and record who joins and leaves; each start and end is recorded once."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardEvent, WhiteboardSession
from worker.access.callers import Caller
from worker.access.session_access import session_and_role
from worker.access.session_role import SessionRole
from worker.errors import Conflict, Forbidden
from worker.whiteboards.events import record_event
from worker.whiteboards.sessions import lock_led_session


def start_session(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """Start the session; one in progress is unchanged.

    Raises NotFound, Forbidden, Conflict for one that has ended.
    """
    board, role = lock_led_session(session, caller, session_id)
    if board.status == "in_progress":
        return board
    if board.status != "scheduled":
        raise Conflict(f"Session {session_id} is {board.status}; it cannot be started again.")
    board.status = "in_progress"
    board.actual_start = board.updated_at = func.now()
    record_event(session, session_id, "start", role)
    return board


def end_session(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """End the session; a completed one is unchanged. Raises NotFound, Forbidden, Conflict when it never started."""
    board, role = lock_led_session(session, caller, session_id)
    if board.status == "completed":
        return board
    if board.status != "in_progress":
        raise Conflict(f"Session {session_id} is {board.status}; only a session in progress can end.")
    complete_session(session, board, role)
    return board


def join_session(session: Session, caller: Caller, session_id: int) -> WhiteboardEvent:
    """Record that the caller joined. Raises NotFound, Forbidden for non-participants, Conflict after the end."""
    board, role = session_and_role(session, caller, session_id)
    if role is None:
        raise Forbidden("Only those who take part in this session can join it.")
    if board.status in {"completed", "cancelled"}:
        raise Conflict(f"Session {session_id} is {board.status}; nobody can join it any more.")
    return record_event(session, session_id, "join", role)


def leave_session(session: Session, caller: Caller, session_id: int) -> WhiteboardEvent:
    """Record that the caller left, even after the end. Raises NotFound, Forbidden for non-participants."""
    _board, role = session_and_role(session, caller, session_id)
    if role is None:
        raise Forbidden("Only those who take part in this session can leave it.")
    return record_event(session, session_id, "leave", role)


def complete_session(
    session: Session, board: WhiteboardSession, role: SessionRole | None, *, at: datetime | None = None
) -> None:
    """End a locked session in progress: now, or at `at` if the worker (without a role) notices it later."""
    board.status = "completed"
    board.is_recording = False
    board.updated_at = func.now()
    board.actual_end = at or func.now()
    record_event(session, board.id, "end", role)


def has_just_started(session: Session, session_id: int) -> bool:
    """Whether this transaction started the session: now() is constant within it."""
    statement = select(WhiteboardSession.actual_start == func.now()).where(WhiteboardSession.id == session_id)
    return bool(session.scalar(statement))


def has_just_ended(session: Session, session_id: int) -> bool:
    """Whether this transaction ended the session; False when it had been ended before."""
    statement = select(WhiteboardSession.actual_end == func.now()).where(WhiteboardSession.id == session_id)
    return bool(session.scalar(statement))
