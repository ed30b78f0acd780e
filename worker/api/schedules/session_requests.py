"""Requests for lessons: `/v1/session-requests`."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query
from starlette.responses import Response

from worker import clock
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Flag, RowId
from worker.api.http.idempotent import OnceOf, created
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.schedules.bookings import BookingDocument
from worker.api.schedules.schedule_documents import ConflictDocument
from worker.api.schedules.session_request_documents import (
    AcceptedDocument,
    NewSessionRequest,
    RequestAcceptance,
    RequestRejection,
    SessionRequestDocument,
)
from worker.api.services import ServicesOf
from worker.bookings.request_reading import find_request, list_requests
from worker.bookings.requests import NewRequest
from worker.jobs.idempotency import StoredResponse
from worker.workflows.lessons.accept_request import Acceptance, accept_request
from worker.workflows.lessons.session_requests import reject_request, request_lessons

router = APIRouter(
    prefix="/v1/session-requests", tags=["session requests"], responses=responses(401, 403, 404, 422, 503)
)

RequestStatus = Literal["pending", "accepted", "rejected"]


@router.post(
    "", status_code=201, response_model=SessionRequestDocument, responses=responses(409), summary="Ask for lessons"
)
def post_session_request(body: NewSessionRequest, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Request lessons from a tutor, as a student or as a parent for a child."""
    values = body.model_dump(exclude_unset=True, exclude={"tutor_id", "student_id", "schedule"})
    if body.schedule is not None:
        # As it was sent, so that the tutor reads the original words.
        values["schedule"] = body.schedule.model_dump(mode="json", exclude_unset=True)
    with services.acting(caller) as session:

        def make() -> StoredResponse:
            services.counters.spend(session, services.rates.bookings, caller.principal)
            new = NewRequest(body.tutor_id, body.student_id, values)
            request = request_lessons(session, caller, new, now=clock.now(), timezone=services.settings.timezone)
            return created(f"/v1/session-requests/{request.id}", SessionRequestDocument.model_validate(request))

        return once.answer(session, body, make)


@router.get("", summary="List requests")
def get_session_requests(
    caller: CallerOf,
    services: ServicesOf,
    status: RequestStatus | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[SessionRequestDocument]:
    """The requests addressed to the tutor, and those that the caller has made; newest first."""
    with services.acting(caller) as session:
        requests = list_requests(session, caller, status=status, before=BY_ID.decode(cursor), limit=limit + 1)
        items = [SessionRequestDocument.model_validate(request) for request in requests[:limit]]
    return Page(items=items, next=BY_ID.after([request.id for request in requests], limit))


@router.get("/{request_id}", summary="Read a request")
def get_session_request(request_id: RowId, caller: CallerOf, services: ServicesOf) -> SessionRequestDocument:
    """One request that the caller may see."""
    with services.acting(caller) as session:
        return SessionRequestDocument.model_validate(find_request(session, caller, request_id))


@router.post("/{request_id}/accept", responses=responses(409), summary="Accept a request")
def post_accept(
    request_id: RowId,
    caller: CallerOf,
    services: ServicesOf,
    body: RequestAcceptance | None = None,
    skip_conflicts: Annotated[Flag, Query(description="Leave out the lessons that collide, and record each.")] = False,
) -> AcceptedDocument:
    """Accept a request: make the booking and its lessons, or join those of the package. Idempotent."""
    acceptance = Acceptance(
        values=body.model_dump(exclude_none=True) if body is not None else {},
        timezone=services.settings.timezone,
        planning=services.planning(skip_conflicts=skip_conflicts),
    )
    with services.acting(caller) as session:
        accepted = accept_request(session, caller, request_id, acceptance)
        return AcceptedDocument(
            **SessionRequestDocument.model_validate(accepted.request).model_dump(),
            booking=BookingDocument.model_validate(accepted.booking),
            series_id=accepted.series_id,
            text=accepted.text,
            conflicts=[ConflictDocument.model_validate(clash) for clash in accepted.conflicts],
        )


@router.post("/{request_id}/reject", responses=responses(409), summary="Reject a request")
def post_reject(
    request_id: RowId, caller: CallerOf, services: ServicesOf, _body: RequestRejection | None = None
) -> SessionRequestDocument:
    """Reject a request."""
    with services.acting(caller) as session:
        return SessionRequestDocument.model_validate(reject_request(session, caller, request_id, now=clock.now()))
