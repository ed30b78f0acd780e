"""A lesson as one file: `GET /v1/recordings/{id}/pack`."""

from datetime import datetime, timedelta
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from worker import clock
from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Document, RowId
from worker.api.http.problems import responses
from worker.api.recordings.playback import addresses_until
from worker.api.services import ServicesOf
from worker.jobs.enqueue import enqueue
from worker.jobs.live import require_room
from worker.jobs.orders.lesson_orders import PackLesson
from worker.recordings.reading import find_recording
from worker.workflows.recordings.pack_lesson import plan_pack

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 409, 422, 429, 503))

# Enough for 8 MB at 20 kbit/s.
_VALID = timedelta(hours=1)

PackLanguage = Annotated[Literal["en", "am"], Query(description="Of the player's words.")]


class Pack(Document):
    """A lesson as one .html file; while it is made, `url` is null and `job_id` names the job."""

    url: str | None
    bytes: int | None
    job_id: UUID | None
    expires_at: datetime | None


@router.get(
    "/{recording_id}/pack",
    responses={202: {"model": Pack, "description": "It is being made: ask again."}},
    summary="Get a recording as one file",
)
def get_pack(
    recording_id: RowId, caller: CallerOf, services: ServicesOf, response: Response, language: PackLanguage = "en"
) -> Pack:
    """The signed address and the size of the recording as one .html file that plays without a network.

    It is made at the first request, and again when chapters, captions or strokes have changed.
    """
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        plan = plan_pack(session, recording, language)
        if plan.stored is None:
            order = PackLesson(recording_id, language, plan.digest, caller.principal)
            most, key = services.most_live_jobs, order.unique_key
            require_room(session, order.kind, principal=caller.principal, most=most, unique_key=key)
            job_id = enqueue(session, order, principal=caller.principal)
            response.status_code = 202
            response.headers["Retry-After"] = "2"
            return Pack(url=None, bytes=None, job_id=job_id, expires_at=None)
        size = plan.stored.bytes
    expires_at = clock.now() + _VALID
    url = addresses_until(services, expires_at).of(plan.object_name)
    return Pack(url=url, bytes=size, job_id=None, expires_at=expires_at)
