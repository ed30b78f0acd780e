"""Undo a stroke."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from models.strokes import Stroke
from worker.access.callers import Caller
from worker.errors import Forbidden, NotFound
from worker.whiteboards.pages import find_page
from worker.whiteboards.sessions import may_erase
from worker.whiteboards.stroke_permissions import drawer_of


def delete_stroke(session: Session, caller: Caller, page_id: int, client_id: str) -> None:
    """Mark a stroke deleted now (undo); idempotent.

    People who may erase can undo any stroke, others only their own. Raises NotFound, Forbidden.
    """
    _page, board, role = find_page(session, caller, page_id)
    drawer = drawer_of(role)
    stroke = session.scalar(select(Stroke).where(Stroke.page_id == page_id, Stroke.client_id == client_id))
    if stroke is None:
        raise NotFound(f"Page {page_id} has no stroke {client_id}.")
    is_own = (stroke.profile_id, stroke.profile_type) == (drawer.profile_id, drawer.profile_type)
    if not is_own and not may_erase(board, drawer):
        raise Forbidden("Only those who may erase on this board may take back a stroke of somebody else's.")
    # Checked again by the statement: a concurrent clear may have been first, and then its time stays.
    session.execute(
        update(Stroke)
        .where(Stroke.id == stroke.id, Stroke.is_deleted.is_(False))
        .values(is_deleted=True, deleted_at=func.clock_timestamp())
    )
