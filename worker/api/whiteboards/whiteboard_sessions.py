"""Whiteboard sessions: `/v1/whiteboard/sessions`."""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import IO, Annotated, Any

from fastapi import APIRouter, Query
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from models.whiteboards import WhiteboardSession
from worker.access.visibility import session_for
from worker.api.http.callers import CallerOf
from worker.api.http.fields import AsText, FilterId, RowId
from worker.api.http.file_backed_response import file_backed_response
from worker.api.http.idempotent import OnceOf, created
from worker.api.http.paging import BY_ID, BY_STROKE, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.whiteboards.stroke_documents import Board
from worker.api.whiteboards.whiteboard_documents import (
    EventDocument,
    NewSession,
    SessionChange,
    SessionDocument,
    SessionStatus,
    SessionWithPages,
)
from worker.jobs.idempotency import Answer
from worker.whiteboards.board_stream import write_board
from worker.whiteboards.lifecycle import join_session, leave_session
from worker.whiteboards.pages import MOST_PAGES, list_pages
from worker.whiteboards.sessions import Participant, SessionFilter, change_session, list_sessions
from worker.whiteboards.stroke_store import MOST_STROKES_OF_A_PAGE
from worker.workflows.adopt_board import adopt_board, read_call
from worker.workflows.open_session import Opening, open_session
from worker.workflows.run_session import end_session, start_session

MostStrokes = Annotated[int, Field(ge=1, le=50_000), AsText]

router = APIRouter(prefix="/v1/whiteboard/sessions", tags=["whiteboard"], responses=responses(401, 403, 404, 422, 503))

_OPENED: dict[int | str, dict[str, Any]] = {
    200: {"model": SessionWithPages, "description": "The platform's session, adopted before."},
    **responses(409),
}
_OF_THE_OPENING = {
    "platform_session_id",
    "booking_id",
    "schedule_id",
    "host_profile_type",
    "participant_profile_ids",
    "participant_profile_types",
}


@router.post("", status_code=201, response_model=SessionWithPages, responses=_OPENED, summary="Open a session")
def post_session(body: NewSession, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Open a session of a booking (its tutor only), or one without a booking; its first page is created with it.

    With `platform_session_id` adopt a session of the platform: both sides of a call get the same one, led by its tutor.
    """
    if body.platform_session_id is not None:
        return _adopt(body, body.platform_session_id, caller, once, services)
    with services.database.transaction() as session:

        def make() -> Answer:
            services.counters.spend(session, services.rates.whiteboard_sessions, caller.principal)
            whiteboard = open_session(session, caller, _opening(body))
            return created(f"/v1/whiteboard/sessions/{whiteboard.id}", _with_pages(session, whiteboard))

        return once.answer(session, body, make)


def _adopt(
    body: NewSession, platform_session_id: int, caller: CallerOf, once: OnceOf, services: ServicesOf
) -> Response:
    # Before the transaction: the platform may be slow.
    call = read_call(services.context, caller, platform_session_id)
    with services.database.transaction() as session:

        def make() -> Answer:
            whiteboard, is_new = adopt_board(session, caller, platform_session_id, call)
            if is_new:
                services.counters.spend(session, services.rates.whiteboard_sessions, caller.principal)
            answer = created(f"/v1/whiteboard/sessions/{whiteboard.id}", _with_pages(session, whiteboard))
            return answer if is_new else replace(answer, status=200)

        return once.answer(session, body, make)


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
        return _with_pages(session, session_for(session, caller, session_id))


@router.get(
    "/{session_id}/board",
    response_class=Response,
    responses={200: {"model": Board, "description": "The board."}},
    summary="Read the board",
)
def get_board(
    session_id: RowId,
    caller: CallerOf,
    services: ServicesOf,
    page_id: FilterId | None = None,
    limit: Annotated[MostStrokes | None, Query(description="How many strokes at most.")] = None,
    cursor: Cursor = None,
) -> Response:
    """Every page with its strokes in drawing order: what a client draws when it reconnects.

    With `limit` only a part: `next` is the `cursor` of the following part, which begins with the page at which this one
    ends.
    """
    after = BY_STROKE.decode(cursor)
    with services.database.transaction() as session:
        # All statements see the same snapshot.
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        session_for(session, caller, session_id)

        def write(out: IO[bytes]) -> None:
            out.write(b'{"pages":')
            most = limit or MOST_STROKES_OF_A_PAGE * MOST_PAGES
            follows = write_board(session, out, session_id, page_id=page_id, after=after, most=most)
            out.write(b',"next":' + json.dumps(BY_STROKE.encode(follows)).encode() + b"}")

        return file_backed_response(write)


@router.patch("/{session_id}", summary="Change a session")
def patch_session(session_id: RowId, body: SessionChange, caller: CallerOf, services: ServicesOf) -> SessionDocument:
    """Change a session, e.g. what its students may do on the board."""
    with services.database.transaction() as session:
        changed = change_session(session, caller, session_id, body.model_dump(exclude_unset=True))
        return SessionDocument.model_validate(changed)


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


def _opening(body: NewSession) -> Opening:
    named = zip(body.participant_profile_ids, body.participant_profile_types, strict=True)
    participants: Sequence[Participant] = [Participant(profile_id, profile_type) for profile_id, profile_type in named]
    values: dict[str, Any] = body.model_dump(exclude_unset=True, exclude=_OF_THE_OPENING)
    # A new row gets all three permissions, sent or not.
    values["student_permissions"] = body.student_permissions.model_dump()
    return Opening(body.booking_id, body.schedule_id, participants, values, body.host_profile_type)


def _with_pages(session: Session, whiteboard: WhiteboardSession) -> SessionWithPages:
    return SessionWithPages.of(whiteboard, list(list_pages(session, whiteboard.id)))
