"""Create sessions with their first page; find, list and change them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardPage, WhiteboardSession
from worker.access.callers import Caller
from worker.access.session_access import session_and_role
from worker.access.session_role import SessionRole
from worker.access.visibility import visible_sessions
from worker.errors import Forbidden, InvalidInput


@dataclass(frozen=True)
class Participant:
    """A profile that takes part: its id identifies nobody without its type (tutor, student or parent)."""

    profile_id: int
    profile_type: str


@dataclass(frozen=True)
class Hosting:
    """The host and the participants of a session, and its booking and lesson."""

    host: Participant
    participants: Sequence[Participant]
    booking_id: int | None = None
    schedule_id: int | None = None


@dataclass(frozen=True)
class SessionFilter:
    """Which sessions to list; None means all."""

    status: str | None = None
    booking_id: int | None = None
    schedule_id: int | None = None
    before: int | None = None


def create_session(session: Session, hosting: Hosting, values: Mapping[str, Any]) -> WhiteboardSession:
    """Create a session with its first page, which is active. Raises InvalidInput for its times."""
    check_times(values.get("scheduled_start"), values.get("scheduled_end"))
    created = WhiteboardSession(
        booking_id=hosting.booking_id,
        schedule_id=hosting.schedule_id,
        host_profile_id=hosting.host.profile_id,
        host_profile_type=hosting.host.profile_type,
        participant_profile_ids=[participant.profile_id for participant in hosting.participants],
        participant_profile_types=[participant.profile_type for participant in hosting.participants],
        **values,
    )
    session.add(created)
    session.flush()
    session.add(WhiteboardPage(session_id=created.id, page_number=1, page_title="Page 1", is_active=True))
    session.flush()
    return created


def session_created_at(session: Session, session_id: int) -> datetime | None:
    """When the session was created, None if it does not exist; access to it is not checked."""
    return session.scalar(select(WhiteboardSession.created_at).where(WhiteboardSession.id == session_id))


def lock_led_session(session: Session, caller: Caller, session_id: int) -> tuple[WhiteboardSession, SessionRole]:
    """Lock the session; return it with the role in which the caller leads it. Raises NotFound, Forbidden."""
    board, role = session_and_role(session, caller, session_id)
    if role is None or not role.full:
        raise Forbidden("Only the tutor or host of this session may do that.")
    session.refresh(board, with_for_update={"key_share": True})
    return board, role


def may_erase(board: WhiteboardSession, role: SessionRole) -> bool:
    """Whether this role may undo and clear what others drew, as on the platform's page.

    That is the leader of the session, holders of the permission `can_erase`, and whoever opened the board of a call.
    """
    opener = (board.opener_profile_type, board.opener_profile_id)
    return (
        role.full
        or board.student_permissions.get("can_erase") is True
        or (role.profile_type, role.profile_id) == opener
    )


def change_session(session: Session, caller: Caller, session_id: int, changes: Mapping[str, Any]) -> WhiteboardSession:
    """Change columns of a session; `student_permissions` are merged key by key.

    Raises NotFound, Forbidden, InvalidInput for its times.
    """
    board, _role = lock_led_session(session, caller, session_id)
    check_times(
        changes.get("scheduled_start", board.scheduled_start), changes.get("scheduled_end", board.scheduled_end)
    )
    for column, value in changes.items():
        merged = {**board.student_permissions, **value} if column == "student_permissions" else value
        setattr(board, column, merged)
    board.updated_at = func.now()
    session.flush()
    return board


def list_sessions(
    session: Session, caller: Caller, session_filter: SessionFilter, limit: int
) -> Sequence[WhiteboardSession]:
    """At most `limit` sessions that the caller may see, newest first."""
    statement = select(WhiteboardSession).where(visible_sessions(caller))
    for column, value in (
        (WhiteboardSession.status, session_filter.status),
        (WhiteboardSession.booking_id, session_filter.booking_id),
        (WhiteboardSession.schedule_id, session_filter.schedule_id),
    ):
        if value is not None:
            statement = statement.where(column == value)
    if session_filter.before is not None:
        statement = statement.where(WhiteboardSession.id < session_filter.before)
    return session.scalars(statement.order_by(WhiteboardSession.id.desc()).limit(limit)).all()


def check_times(start: datetime | None, end: datetime | None) -> None:
    """Raise InvalidInput unless a session would end after it starts."""
    if start is not None and end is not None and end <= start:
        raise InvalidInput("scheduled_end is not after scheduled_start.")
