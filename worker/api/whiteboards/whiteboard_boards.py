"""The board of a session, whole or in parts."""

import json
from typing import IO, Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from worker.access.session_access import session_for
from worker.api.http.callers import CallerOf
from worker.api.http.fields import AsText, FilterId, RowId
from worker.api.http.file_backed_response import file_backed_response
from worker.api.http.paging import BY_STROKE, Cursor
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.whiteboards.stroke_documents import Board
from worker.whiteboards.board_stream import write_board
from worker.whiteboards.pages import MAX_PAGES
from worker.whiteboards.stroke_store import MAX_STROKES_OF_A_PAGE

router = APIRouter(prefix="/v1/whiteboard/sessions", tags=["whiteboard"], responses=responses(401, 403, 404, 422, 503))

MostStrokes = Annotated[int, Field(ge=1, le=50_000), AsText]


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
            most = limit or MAX_STROKES_OF_A_PAGE * MAX_PAGES
            follows = write_board(session, out, session_id, page_id=page_id, after=after, most=most)
            out.write(b',"next":' + json.dumps(BY_STROKE.encode(follows)).encode() + b"}")

        return file_backed_response(write)
