"""Load a whiteboard session for a caller who wants to see, change or record it."""

from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardSession
from worker.access.callers import Caller, Operator
from worker.access.session_role import SessionRole, session_role
from worker.access.visibility import visible_sessions_with_booking
from worker.errors import Forbidden, NotFound


def session_for(session: Session, caller: Caller, session_id: int, *, change: bool = False) -> WhiteboardSession:
    """The whiteboard session, when the caller may see it and, with `change`, change it.

    Raises NotFound when the caller may not see it, Forbidden when the caller may not change it.
    """
    whiteboard, role = session_and_role(session, caller, session_id)
    if change and (role is None or not role.full):
        raise Forbidden("Only the tutor of this session may do that.")
    return whiteboard


def session_to_record(session: Session, caller: Caller, session_id: int) -> WhiteboardSession:
    """The whiteboard session, when the caller may add recordings: its tutor or host, its opener, or an operator.

    Raises NotFound when the caller may not see it, Forbidden when the caller may not record it.
    """
    whiteboard, role = session_and_role(session, caller, session_id)
    opener = (whiteboard.opener_profile_type, whiteboard.opener_profile_id)
    may_record = role is not None and (role.full or (role.profile_type, role.profile_id) == opener)
    if not may_record and not isinstance(caller, Operator):
        raise Forbidden("Only the tutor of this session, and who opened it, may record it.")
    return whiteboard


def session_and_role(session: Session, caller: Caller, session_id: int) -> tuple[WhiteboardSession, SessionRole | None]:
    """The session and the caller's role in it (None: they may only look). Raises NotFound."""
    row = session.execute(visible_sessions_with_booking(caller).where(WhiteboardSession.id == session_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no whiteboard session {session_id}.")
    whiteboard, tutor_id, student_id = row
    return whiteboard, session_role(caller, whiteboard, tutor_id=tutor_id, student_id=student_id)
