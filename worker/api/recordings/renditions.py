"""`POST /v1/recordings/{id}/renditions`: order renditions that a recording does not have yet."""

from collections.abc import Collection
from typing import Annotated, Literal, get_args
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from models.recordings import Recording
from worker.access.callers import Caller, UserCaller
from worker.access.session_access import session_for
from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Body, Document, RowId
from worker.api.http.idempotent import OnceOf
from worker.api.http.problems import responses
from worker.api.services import Services, ServicesOf
from worker.errors import Conflict
from worker.jobs.idempotency import StoredResponse
from worker.jobs.live import require_room
from worker.jobs.orders.recording_orders import FillRows
from worker.recordings.outputs.order_pictures import ORDERABLE as PICTURES
from worker.recordings.outputs.order_pictures import all_rows, order_pictures, picture_rows, pictures_order
from worker.recordings.outputs.order_renditions import order_renditions, renditions_order
from worker.recordings.outputs.pending_rows import names_in
from worker.recordings.outputs.rendition_rules import RecordedTracks, tracks_of, why_not, with_parts
from worker.recordings.reading import find_recording
from worker.settings.media import RenditionName

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))

OrderableName = Literal[RenditionName, "posters", "storyboard", "preview", "activity"]


class RenditionsBody(Body):
    """The renditions to make."""

    names: Annotated[list[OrderableName], Field(min_length=1, max_length=len(get_args(OrderableName)), fail_fast=True)]


class RefusedRendition(Document):
    """A rendition that this recording cannot have."""

    name: str
    reason: str


class OrderedRenditions(Document):
    """What is made now, and by which jobs; `ready` are those that existed before."""

    job_id: UUID | None
    pictures_job_id: UUID | None
    ordered: list[str]
    ready: list[str]
    refused: list[RefusedRendition]


@router.post(
    "/{recording_id}/renditions",
    status_code=202,
    response_model=OrderedRenditions,
    responses=responses(409),
    summary="Order renditions",
)
def post_renditions(
    recording_id: RowId, body: RenditionsBody, caller: CallerOf, once: OnceOf, services: ServicesOf
) -> Response:
    """Order renditions and pictures of a recording (as its tutor or an operator), also those that failed before.

    Idempotent: what is ready stays, and what is being made is made once. `hls` and `download` include the renditions
    that they are made from.
    """
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        session_for(session, caller, recording.session_id, change=isinstance(caller, UserCaller))
        if not recording.is_available:
            raise Conflict(f"Recording {recording_id} cannot be played, so nothing can be made from it.")
        return once.answer(session, body, lambda: _ordered(services, session, caller, recording, body.names))


def _ordered(
    services: Services, session: Session, caller: Caller, recording: Recording, names: list[OrderableName]
) -> StoredResponse:
    tracks, pictures = tracks_of(recording), picture_rows(session, recording.id)
    refused = {name: reason for name in names if (reason := _why_not(name, tracks, pictures)) is not None}
    possible = [name for name in dict.fromkeys(names) if name not in refused]
    ready = names_in(session, recording.id, "ready")
    wanted = with_parts([name for name in possible if name not in PICTURES], tracks)
    missing = [name for name in wanted if name not in ready]
    shown = {name: pictures[name] for name in possible if name in PICTURES}
    unseen = {name: rows for name, rows in shown.items() if not ready.issuperset(rows)}
    renditions_job = _order_renditions(services, session, caller, recording, missing) if missing else None
    pictures_job = _order_pictures(services, session, caller, recording, all_rows(unseen)) if unseen else None
    document = OrderedRenditions(
        job_id=renditions_job,
        pictures_job_id=pictures_job,
        ordered=[*missing, *unseen],
        ready=[name for name in (*wanted, *shown) if name not in missing and name not in unseen],
        refused=[RefusedRendition(name=name, reason=reason) for name, reason in refused.items()],
    )
    job_id = renditions_job or pictures_job
    headers = {} if job_id is None else {"Location": f"/v1/jobs/{job_id}", "Retry-After": "10"}
    return StoredResponse(202, document.model_dump_json(), headers)


def _why_not(name: str, tracks: RecordedTracks, pictures: Collection[str]) -> str | None:
    if name in PICTURES:
        return None if name in pictures else "The recording has no picture."
    return why_not(name, tracks)


def _order_renditions(
    services: Services, session: Session, caller: Caller, recording: Recording, names: list[str]
) -> UUID:
    _require_room(services, session, caller, renditions_order(recording))
    return order_renditions(session, recording, names, principal=caller.principal)


def _order_pictures(
    services: Services, session: Session, caller: Caller, recording: Recording, rows: list[str]
) -> UUID:
    _require_room(services, session, caller, pictures_order(session, recording))
    return order_pictures(session, recording, rows, principal=caller.principal)


def _require_room(services: Services, session: Session, caller: Caller, order: FillRows) -> None:
    most = services.most_live_jobs
    require_room(session, order.kind, principal=caller.principal, most=most, unique_key=order.unique_key)
