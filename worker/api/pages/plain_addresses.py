"""`POST /v1/recordings/{id}/plain`: the address of a recording's page without script."""

from datetime import timedelta

from fastapi import APIRouter, Request

from worker import clock
from worker.access.tickets import player_ticket
from worker.access.visibility import visible_recordings
from worker.api.http.addresses import public_address
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.problems import responses
from worker.api.http.stream_tickets import TicketDocument
from worker.api.services import ServicesOf
from worker.recordings.outputs.playback import plan_playback
from worker.recordings.reading import find_recording

router = APIRouter()


@router.post(
    "/v1/recordings/{recording_id}/plain",
    status_code=201,
    tags=["recordings"],
    responses=responses(401, 403, 404, 409, 422, 503),
    summary="Get the address of a page without script",
)
def post_plain(recording_id: RowId, request: Request, caller: CallerOf, services: ServicesOf) -> TicketDocument:
    """The address of a page that plays the recording in browsers without script; it needs no token."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        expires_at = clock.now() + timedelta(seconds=plan_playback(session, recording).seconds)
    path = f"/watch/{recording_id}/plain"
    ticket = player_ticket(services.settings.signing_key, caller, path, expires_at)
    return TicketDocument(
        url=public_address(request, services.settings, f"{path}?ticket={ticket}"), expires_at=expires_at
    )
