"""Pages and strokes: `/v1/whiteboard/sessions/{id}/pages` and `/v1/whiteboard/pages`."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.responses import Response

from worker.access.session_access import session_for
from worker.api.http.callers import CallerOf
from worker.api.http.error_handlers import is_json
from worker.api.http.fields import Body, RowId
from worker.api.http.idempotent import OnceOf, created
from worker.api.http.json_pieces import read_json
from worker.api.http.paging import Page
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.whiteboards.stroke_documents import (
    Cleared,
    ClientId,
    MalformedStroke,
    PlacedStrokeDocument,
    PlacedStrokes,
    RefusedStroke,
    StrokeBody,
    StrokesBody,
)
from worker.api.whiteboards.whiteboard_documents import NewPage, PageDocument
from worker.errors import InvalidInput
from worker.jobs.idempotency import StoredResponse
from worker.whiteboards.delete_stroke import delete_stroke
from worker.whiteboards.pages import activate_page, clear_page, create_page, find_page, list_pages
from worker.whiteboards.stroke_store import append_strokes
from worker.whiteboards.stroke_validation import MAX_STROKES, NewStroke

# The body of a request without one, for its fingerprint.
_NOTHING = Body()

router = APIRouter(prefix="/v1/whiteboard", tags=["whiteboard"], responses=responses(401, 403, 404, 422, 503))


@router.post(
    "/sessions/{session_id}/pages",
    status_code=201,
    response_model=PageDocument,
    responses=responses(409),
    summary="Add a page",
)
def post_page(session_id: RowId, body: NewPage, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Add a page after the last one; it is not shown until it is activated."""
    values = body.model_dump(exclude_unset=True)
    with services.database.transaction() as session:

        def make() -> StoredResponse:
            page = create_page(session, caller, session_id, values)
            return created(f"/v1/whiteboard/pages/{page.id}", PageDocument.model_validate(page))

        return once.answer(session, body, make)


@router.get("/sessions/{session_id}/pages", summary="List pages")
def get_pages(session_id: RowId, caller: CallerOf, services: ServicesOf) -> Page[PageDocument]:
    """All pages of a session, in their order."""
    with services.database.transaction() as session:
        session_for(session, caller, session_id)
        items = [PageDocument.model_validate(page) for page in list_pages(session, session_id)]
    return Page(items=items, next=None)


@router.get("/pages/{page_id}", summary="Read a page")
def get_page(page_id: RowId, caller: CallerOf, services: ServicesOf) -> PageDocument:
    """One page, without its strokes."""
    with services.database.transaction() as session:
        page, _board, _role = find_page(session, caller, page_id)
        return PageDocument.model_validate(page)


@router.post("/pages/{page_id}/activate", responses=responses(409), summary="Show a page")
def post_activate(page_id: RowId, caller: CallerOf, services: ServicesOf) -> PageDocument:
    """Show this page to everybody. Idempotent."""
    with services.database.transaction() as session:
        return PageDocument.model_validate(activate_page(session, caller, page_id))


@router.post("/pages/{page_id}/clear", response_model=Cleared, responses=responses(409), summary="Clear a page")
def post_clear(page_id: RowId, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Clear the page. Its strokes stay stored, marked as deleted.

    With an `Idempotency-Key` a repeat leaves what was drawn after the first request.
    """
    with services.database.transaction() as session:

        def make() -> StoredResponse:
            return StoredResponse(200, Cleared(cleared=clear_page(session, caller, page_id)).model_dump_json())

        return once.answer(session, _NOTHING, make)


async def _body(request: Request, _caller: CallerOf) -> bytes:
    if not is_json(request.headers.get("content-type", "")):
        raise RequestValidationError([{"loc": ("body",), "msg": "must be JSON"}])
    return await request.body()


@router.post(
    "/pages/{page_id}/strokes",
    responses=responses(409, 413, 429),
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {"application/json": {"schema": {"$ref": "#/components/schemas/StrokesBody"}}},
        }
    },
    summary="Append strokes",
)
def post_strokes(
    page_id: RowId, body: Annotated[bytes, Depends(_body)], caller: CallerOf, services: ServicesOf
) -> PlacedStrokes:
    """Append strokes; the server assigns their order. A `client_id` that the page has already is not stored again.

    A stroke that cannot be stored is listed in `refused` and does not affect the others; if none can be, it is a 422.
    """
    strokes = _strokes(body)
    malformed = {index: stroke for index, stroke in enumerate(strokes) if isinstance(stroke, MalformedStroke)}
    wellformed = {index: _stroke(stroke) for index, stroke in enumerate(strokes) if index not in malformed}
    with services.database.transaction() as session:
        appended = append_strokes(session, caller, page_id, [*wellformed.values()], services.board_bounds)
    reasons = {index: stroke.reason for index, stroke in malformed.items()}
    reasons |= {[*wellformed][place]: reason for place, reason in appended.refused.items()}
    refused = [
        RefusedStroke(index=index, client_id=strokes[index].client_id, reason=reasons[index])
        for index in sorted(reasons)
    ]
    if not appended.placed:
        raise InvalidInput(
            "None of the strokes can be stored; see `refused`.", refused=[stroke.model_dump() for stroke in refused]
        )
    return PlacedStrokes(
        strokes=[PlacedStrokeDocument.model_validate(stroke) for stroke in appended.placed], refused=refused
    )


@router.delete("/pages/{page_id}/strokes/{client_id}", status_code=204, summary="Take back a stroke")
def delete_one_stroke(
    page_id: RowId, client_id: Annotated[ClientId, Path()], caller: CallerOf, services: ServicesOf
) -> None:
    """Undo a stroke; it stays stored, marked as deleted. Idempotent."""
    with services.database.transaction() as session:
        delete_stroke(session, caller, page_id, client_id)


def _strokes(body: bytes) -> list[StrokeBody]:
    """Parse the strokes of a body that may be large, in this thread and in pieces."""
    try:
        parsed = StrokesBody.model_validate(read_json(body, most_items=MAX_STROKES))
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError([{**fault, "loc": ("body", *fault["loc"])} for fault in errors]) from error
    return parsed.strokes


def _stroke(body: StrokeBody) -> NewStroke:
    return NewStroke(body.client_id, body.stroke_type, body.stroke_data, body.started_at, body.ended_at)
