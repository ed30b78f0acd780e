"""Boards as pictures and documents: `…/snapshot` orders them, `…/snapshots` returns their addresses."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from fastapi import APIRouter
from sqlalchemy import inspect
from starlette.responses import Response

from worker import clock
from worker.access.session_access import session_for
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Body, RowId
from worker.api.http.idempotent import OnceOf
from worker.api.http.problems import responses
from worker.api.services import Services, ServicesOf
from worker.api.whiteboards.order_job import order_job
from worker.api.whiteboards.snapshot_documents import Ordered, SnapshotDocument, Snapshots
from worker.canvases.snapshots.names import shared_folder
from worker.canvases.snapshots.showing import SnapshotStatus, show_board, show_page
from worker.jobs.orders.board_orders import SnapshotPage, SnapshotSession
from worker.whiteboards.pages import find_page

router = APIRouter(prefix="/v1/whiteboard", tags=["whiteboard"], responses=responses(401, 403, 404, 422, 503))

# How long signed addresses are valid: enough to view a page or download a document.
_SECONDS = 3600
# The body of a POST without fields.
_NOTHING = Body()


@router.post(
    "/pages/{page_id}/snapshot",
    status_code=202,
    response_model=Ordered,
    responses=responses(409),
    summary="Draw a page",
)
def post_page_snapshot(page_id: RowId, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Order PNG, thumbnail and SVG of a page. A request while the job is unfinished returns the same job."""
    with services.database.transaction() as session:
        page, _board, _role = find_page(session, caller, page_id)
        order = SnapshotPage(page.id, asked_by=caller.principal)
        return once.answer(session, _NOTHING, lambda: order_job(services, session, caller, order))


@router.post(
    "/sessions/{session_id}/snapshot",
    status_code=202,
    response_model=Ordered,
    responses=responses(409),
    summary="Draw a board",
)
def post_session_snapshot(session_id: RowId, caller: CallerOf, once: OnceOf, services: ServicesOf) -> Response:
    """Order the pictures of every changed page, and the PDF of the whole board."""
    with services.database.transaction() as session:
        session_for(session, caller, session_id)
        order = SnapshotSession(session_id, asked_by=caller.principal)
        return once.answer(session, _NOTHING, lambda: order_job(services, session, caller, order))


@router.get("/pages/{page_id}/snapshots", summary="Pictures of a page")
def get_page_snapshots(page_id: RowId, caller: CallerOf, services: ServicesOf, response: Response) -> Snapshots:
    """The latest pictures of a page, at signed addresses that give access to these only."""
    with services.database.transaction() as session:
        page, _board, _role = find_page(session, caller, page_id)
        shown = show_page(session, page)
    return _signed(services, response, shown)


@router.get("/sessions/{session_id}/snapshots", summary="Pictures and document of a board")
def get_session_snapshots(session_id: RowId, caller: CallerOf, services: ServicesOf, response: Response) -> Snapshots:
    """The latest pictures of every page and the PDF of all, at signed addresses for this session only."""
    with services.database.transaction() as session:
        whiteboard = session_for(session, caller, session_id)
        shown = show_board(session, whiteboard)
    return _signed(services, response, shown)


def _signed(services: Services, response: Response, shown: Sequence[SnapshotStatus]) -> Snapshots:
    """Sign the addresses with one token, which gives access only to the files' common folder."""
    response.headers["Cache-Control"] = "no-store"
    store = services.context.store
    expires_at = clock.now() + timedelta(seconds=_SECONDS)
    names = [status.snapshot.object_name for status in shown]
    token = store.authorize_download(shared_folder(names), _SECONDS) if names else ""
    return Snapshots(
        items=[_document(status, store.signed_url(status.snapshot.object_name, token)) for status in shown],
        expires_at=expires_at,
    )


def _document(shown: SnapshotStatus, url: str) -> SnapshotDocument:
    columns: Mapping[str, object] = {
        name: getattr(shown.snapshot, name)
        for name in SnapshotDocument.model_fields.keys() & inspect(shown.snapshot).mapper.column_attrs.keys()
    }
    return SnapshotDocument.model_validate(
        {**columns, "url": url, "page_number": shown.page_number, "is_current": shown.is_current}
    )
