"""Whiteboard sessions: `/v1/whiteboard/sessions`."""

from fastapi import APIRouter
from sqlalchemy.orm import Session

from models.whiteboards import WhiteboardSession
from worker.access.session_access import session_for
from worker.api.http.callers import CallerOf
from worker.api.http.fields import FilterId, RowId
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.whiteboards.whiteboard_documents import SessionChange, SessionDocument, SessionStatus, SessionWithPages
from worker.whiteboards.pages import list_pages
from worker.whiteboards.sessions import SessionFilter, change_session, list_sessions

router = APIRouter(prefix="/v1/whiteboard/sessions", tags=["whiteboard"], responses=responses(401, 403, 404, 422, 503))


@router.get("", summary="List sessions")
def get_sessions(
    caller: CallerOf,
    services: ServicesOf,
    status: SessionStatus | None = None,
    booking_id: FilterId | None = None,
    schedule_id: FilterId | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SessionDocument]:
    """The sessions that the caller may see, newest first."""
    criteria = SessionFilter(status, booking_id, schedule_id, BY_ID.decode(cursor))
    with services.database.transaction() as session:
        sessions = list_sessions(session, caller, criteria, limit + 1)
        items = [SessionDocument.model_validate(whiteboard) for whiteboard in sessions[:limit]]
    return Page(items=items, next=BY_ID.after([whiteboard.id for whiteboard in sessions], limit))


@router.get("/{session_id}", summary="Read a session")
def get_session(session_id: RowId, caller: CallerOf, services: ServicesOf) -> SessionWithPages:
    """A session and its pages."""
    with services.database.transaction() as session:
        return with_pages(session, session_for(session, caller, session_id))


@router.patch("/{session_id}", summary="Change a session")
def patch_session(session_id: RowId, body: SessionChange, caller: CallerOf, services: ServicesOf) -> SessionDocument:
    """Change a session, e.g. what its students may do on the board."""
    with services.database.transaction() as session:
        changed = change_session(session, caller, session_id, body.model_dump(exclude_unset=True))
        return SessionDocument.model_validate(changed)


def with_pages(session: Session, whiteboard: WhiteboardSession) -> SessionWithPages:
    """The document of a session and its pages."""
    return SessionWithPages.of(whiteboard, list(list_pages(session, whiteboard.id)))
