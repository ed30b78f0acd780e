"""Add, activate, clear and find pages of a board."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from models.strokes import Stroke
from models.whiteboards import WhiteboardPage, WhiteboardSession
from worker.access.callers import Caller
from worker.access.session_role import SessionRole, session_role
from worker.access.visibility import visible_sessions_with_booking
from worker.errors import Conflict, Forbidden, NotFound
from worker.whiteboards.events import record_event
from worker.whiteboards.sessions import lock_led_session, may_erase

MAX_PAGES = 200


def list_pages(session: Session, session_id: int) -> Sequence[WhiteboardPage]:
    """The pages of a session, in their order."""
    statement = select(WhiteboardPage).where(WhiteboardPage.session_id == session_id)
    return session.scalars(statement.order_by(WhiteboardPage.page_number)).all()


def create_page(session: Session, caller: Caller, session_id: int, values: Mapping[str, Any]) -> WhiteboardPage:
    """Add a page after the last one; the default title is its number.

    Raises NotFound, Forbidden, Conflict when the session has ended or has too many pages.
    """
    board, _role = lock_led_session(session, caller, session_id)
    _check_open(board)
    # The lock on the session prevents another page from taking the same number.
    last = session.scalar(select(func.max(WhiteboardPage.page_number)).where(WhiteboardPage.session_id == session_id))
    number = (last or 0) + 1
    if number > MAX_PAGES:
        raise Conflict(f"Session {session_id} has {MAX_PAGES} pages; it can have no more.")
    page = WhiteboardPage(session_id=session_id, page_number=number, **{"page_title": f"Page {number}", **values})
    session.add(page)
    session.flush()
    return page


def activate_page(session: Session, caller: Caller, page_id: int) -> WhiteboardPage:
    """Show this page instead of the current one; idempotent.

    Raises NotFound, Forbidden, Conflict when the session has ended.
    """
    page, role = _lock_led_page(session, caller, page_id)
    if page.is_active:
        return page
    session.execute(
        update(WhiteboardPage)
        .where(WhiteboardPage.session_id == page.session_id, WhiteboardPage.is_active)
        .values(is_active=False, updated_at=func.now())
    )
    page.is_active = True
    page.updated_at = func.now()
    record_event(session, page.session_id, "page", role, page_id=page.id)
    return page


def clear_page(session: Session, caller: Caller, page_id: int) -> int:
    """Mark every stroke of the page deleted now and return how many; a replay still shows them up to this moment.

    Only for people who may erase. Raises NotFound, Forbidden, Conflict when the session has ended.
    """
    page, board, role = find_page(session, caller, page_id)
    if role is None or not may_erase(board, role):
        raise Forbidden("Only those who may erase on this board may clear a page: its tutor or host gives that right.")
    session.refresh(board, with_for_update={"key_share": True})
    _check_open(board)
    # A concurrent batch of strokes is entirely before the clear or entirely after it.
    session.refresh(page, with_for_update={"key_share": True})
    cleared = session.execute(
        update(Stroke)
        .where(Stroke.page_id == page_id, Stroke.is_deleted.is_(False))
        .values(is_deleted=True, deleted_at=func.clock_timestamp())
    )
    return cast("CursorResult[Any]", cleared).rowcount


def find_page(
    session: Session, caller: Caller, page_id: int
) -> tuple[WhiteboardPage, WhiteboardSession, SessionRole | None]:
    """The page, its session, and the caller's role in it. Raises NotFound when the caller may not see it."""
    sessions = visible_sessions_with_booking(caller).join(
        WhiteboardPage, WhiteboardPage.session_id == WhiteboardSession.id
    )
    row = session.execute(sessions.add_columns(WhiteboardPage).where(WhiteboardPage.id == page_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no whiteboard page {page_id}.")
    board, tutor_id, student_id, page = row
    return page, board, session_role(caller, board, tutor_id=tutor_id, student_id=student_id)


def _lock_led_page(session: Session, caller: Caller, page_id: int) -> tuple[WhiteboardPage, SessionRole]:
    """Lock the session and return the page; the session has not ended, and the caller leads it."""
    page, _board, _role = find_page(session, caller, page_id)
    board, role = lock_led_session(session, caller, page.session_id)
    _check_open(board)
    session.refresh(page)
    return page, role


def _check_open(board: WhiteboardSession) -> None:
    if board.status in {"completed", "cancelled"}:
        raise Conflict(f"Session {board.id} is {board.status}; its pages stay as they are.")
