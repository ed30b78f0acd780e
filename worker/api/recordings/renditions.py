"""`POST /v1/recordings/{id}/renditions`: order sizes of a recording that it has not got yet."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter
from pydantic import Field
from sqlalchemy.orm import Session
from starlette.responses import Response

from models.recordings import Recording
from worker.access.callers import Caller, UserCaller
from worker.access.visibility import session_for, visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Body, Document, RowId
from worker.api.http.idempotent import OnceOf
from worker.api.http.problems import responses
from worker.api.services import Services, ServicesOf
from worker.errors import Conflict
from worker.jobs.idempotency import Answer
from worker.jobs.live import require_room
from worker.jobs.recording_orders import MakeRenditions
from worker.recordings.order_renditions import order_renditions, ready_names, renditions_order
from worker.recordings.reading import find_recording
from worker.recordings.rendition_rules import tracks_of, why_not, with_parts

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))

OrderableName = Literal["audio", "audio-aac", "board", "360p", "720p", "hls", "download"]


class RenditionsBody(Body):
    """The renditions to make."""

    names: Annotated[list[OrderableName], Field(min_length=1, max_length=7)]


class RefusedRendition(Document):
    """A rendition that this recording cannot have."""

    name: str
    reason: str


class OrderedRenditions(Document):
    """What is made now, by which job; `ready` are those that were there."""

    job_id: UUID | None
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
    """Order renditions of a recording (as its tutor or an operator), also those that failed before.

    Idempotent: what is ready stays, and what is being made is made once. `hls` and `download` bring what they are made
    of.
    """
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        session_for(session, caller, recording.session_id, change=isinstance(caller, UserCaller))
        if not recording.is_available:
            raise Conflict(f"Recording {recording_id} cannot be played, so nothing can be made of it.")
        return once.answer(session, body, lambda: _ordered(services, session, caller, recording, body.names))


def _ordered(
    services: Services, session: Session, caller: Caller, recording: Recording, names: list[OrderableName]
) -> Answer:
    tracks = tracks_of(recording)
    refused = {name: reason for name in names if (reason := why_not(name, tracks)) is not None}
    wanted = with_parts([name for name in names if name not in refused], tracks)
    ready = [name for name in wanted if name in ready_names(session, recording.id)]
    missing = [name for name in wanted if name not in ready]
    job_id = _order(services, session, caller, recording, missing) if missing else None
    document = OrderedRenditions(
        job_id=job_id,
        ordered=missing,
        ready=ready,
        refused=[RefusedRendition(name=name, reason=reason) for name, reason in refused.items()],
    )
    headers = {} if job_id is None else {"Location": f"/v1/jobs/{job_id}", "Retry-After": "10"}
    return Answer(202, document.model_dump_json(), headers)


def _order(services: Services, session: Session, caller: Caller, recording: Recording, names: list[str]) -> UUID:
    key = renditions_order(recording).unique_key
    most = services.most_live_jobs
    require_room(session, MakeRenditions.kind, principal=caller.principal, most=most, unique_key=key)
    return order_renditions(session, recording, names, principal=caller.principal)
