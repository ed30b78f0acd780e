"""Open a whiteboard session, or adopt one of the platform."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from fastapi import APIRouter
from starlette.responses import Response

from worker.api.http.callers import CallerOf
from worker.api.http.idempotent import OnceOf, created
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.whiteboards.whiteboard_documents import NewSession, SessionWithPages
from worker.api.whiteboards.whiteboard_sessions import with_pages
from worker.jobs.idempotency import StoredResponse
from worker.whiteboards.sessions import Participant
from worker.workflows.boards.adopt_board import adopt_board, read_call
from worker.workflows.boards.open_session import Opening, open_session

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

        def make() -> StoredResponse:
            services.counters.spend(session, services.rates.whiteboard_sessions, caller.principal)
            whiteboard = open_session(session, caller, _opening(body))
            return created(f"/v1/whiteboard/sessions/{whiteboard.id}", with_pages(session, whiteboard))

        return once.answer(session, body, make)


def _adopt(
    body: NewSession, platform_session_id: int, caller: CallerOf, once: OnceOf, services: ServicesOf
) -> Response:
    # Before the transaction: the platform may be slow.
    call = read_call(services.context, caller, platform_session_id)
    with services.database.transaction() as session:

        def make() -> StoredResponse:
            whiteboard, is_new = adopt_board(session, caller, platform_session_id, call)
            if is_new:
                services.counters.spend(session, services.rates.whiteboard_sessions, caller.principal)
            answer = created(f"/v1/whiteboard/sessions/{whiteboard.id}", with_pages(session, whiteboard))
            return answer if is_new else replace(answer, status=200)

        return once.answer(session, body, make)


def _opening(body: NewSession) -> Opening:
    named = zip(body.participant_profile_ids, body.participant_profile_types, strict=True)
    participants: Sequence[Participant] = [Participant(profile_id, profile_type) for profile_id, profile_type in named]
    values: dict[str, Any] = body.model_dump(exclude_unset=True, exclude=_OF_THE_OPENING)
    # A new row gets all three permissions, sent or not.
    values["student_permissions"] = body.student_permissions.model_dump()
    return Opening(body.booking_id, body.schedule_id, participants, values, body.host_profile_type)
