"""The life of a whiteboard session: start, end, join, leave."""

from fastapi import APIRouter

from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.whiteboards.whiteboard_documents import EventDocument, SessionDocument
from worker.whiteboards.lifecycle import join_session, leave_session
from worker.workflows.boards.run_session import end_session, start_session

router = APIRouter(prefix="/v1/whiteboard/sessions", tags=["whiteboard"], responses=responses(401, 403, 404, 422, 503))


@router.post("/{session_id}/start", responses=responses(409), summary="Start")
def post_start(session_id: RowId, caller: CallerOf, services: ServicesOf) -> SessionDocument:
    """Start the session now, and with it the lesson it names. Idempotent."""
    with services.database.transaction() as session:
        return SessionDocument.model_validate(start_session(session, caller, session_id))


@router.post("/{session_id}/end", responses=responses(409), summary="End")
def post_end(session_id: RowId, caller: CallerOf, services: ServicesOf) -> SessionDocument:
    """End the session now, and with it the lesson it names. Idempotent."""
    with services.database.transaction() as session:
        return SessionDocument.model_validate(end_session(session, caller, session_id))


@router.post("/{session_id}/join", responses=responses(409), summary="Join")
def post_join(session_id: RowId, caller: CallerOf, services: ServicesOf) -> EventDocument:
    """Record that the caller joins the session."""
    with services.database.transaction() as session:
        return EventDocument.model_validate(join_session(session, caller, session_id))


@router.post("/{session_id}/leave", summary="Leave")
def post_leave(session_id: RowId, caller: CallerOf, services: ServicesOf) -> EventDocument:
    """Record that the caller leaves the session."""
    with services.database.transaction() as session:
        return EventDocument.model_validate(leave_session(session, caller, session_id))
