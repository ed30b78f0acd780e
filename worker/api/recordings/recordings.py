"""Recordings: `/v1/recordings`. List, read, play, delete."""

from datetime import timedelta
from typing import IO

from fastapi import APIRouter, Request
from starlette.responses import Response

from models.recordings import Recording
from worker import clock
from worker.access.callers import UserCaller
from worker.access.session_access import session_for
from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import FilterId, RowId
from worker.api.http.file_backed_response import file_backed_response
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.recordings.playback import playback_document, storyboard_response, ticketed
from worker.api.recordings.recording_documents import Playback, RecordingDocument, RecordingWithBoard
from worker.api.services import Services, ServicesOf
from worker.recordings.outputs.playback import plan_playback
from worker.recordings.reading import duration_ms, find_recording, list_recordings, shown_metadata, write_kept_board
from worker.workflows.recordings.delete_recording import delete_recording
from worker.workflows.recordings.read_playback import read_playback

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))


def _document(recording: Recording, services: Services) -> RecordingDocument:
    metadata = shown_metadata(recording, services.settings.spool_retention)
    return RecordingDocument.model_validate(recording).model_copy(update={"recording_metadata": metadata})


@router.get("", summary="List recordings")
def get_recordings(
    caller: CallerOf,
    services: ServicesOf,
    session_id: FilterId | None = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[RecordingDocument]:
    """The recordings that the caller may see, newest first."""
    with services.database.transaction() as session:
        if session_id is not None:
            session_for(session, caller, session_id)
        before = BY_ID.decode(cursor)
        recordings = list_recordings(
            session, visible_recordings(caller), session_id=session_id, before=before, limit=limit + 1
        )
        items = [_document(row, services) for row in recordings[:limit]]
    return Page(items=items, next=BY_ID.after([recording.id for recording in recordings], limit))


@router.get(
    "/{recording_id}",
    response_class=Response,
    responses={200: {"model": RecordingWithBoard, "description": "The recording."}},
    summary="Read a recording",
)
def get_recording(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> Response:
    """A recording with the snapshot of its board."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        document = _document(recording, services).model_dump_json().encode()

        def write(out: IO[bytes]) -> None:
            out.write(document.removesuffix(b"}") + b',"board_snapshot":')
            write_kept_board(session, out, recording_id)
            out.write(b"}")

        return file_backed_response(write)


@router.get("/{recording_id}/playback", responses=responses(409), summary="Play a recording")
def get_playback(
    recording_id: RowId, request: Request, caller: CallerOf, services: ServicesOf, response: Response
) -> Playback:
    """Signed addresses for a player, valid for the recording's duration and 15 minutes more."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        planned = read_playback(session, recording)
        named = {"recording_title": recording.recording_title, "duration_ms": duration_ms(recording)}
    response.headers["Cache-Control"] = "no-store"
    expires_at = clock.now() + timedelta(seconds=planned.files.seconds)
    address_of = ticketed(request, services.settings, caller, expires_at)
    return playback_document(services, planned, expires_at, address_of).model_copy(update=named)


@router.get(
    "/{recording_id}/storyboard.vtt",
    response_class=Response,
    responses={
        200: {"description": "WebVTT.", "content": {"text/vtt": {"schema": {"type": "string"}}}},
        **responses(409),
    },
    summary="Read the storyboard",
)
def get_storyboard(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> Response:
    """Small pictures along the time, as WebVTT whose cues name a picture and a part of it; `playback` has its address
    with a ticket."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        files, length = plan_playback(session, recording), duration_ms(recording)
    return storyboard_response(services, files, length or 0, clock.now() + timedelta(seconds=files.seconds))


@router.delete("/{recording_id}", status_code=204, summary="Delete a recording")
def delete(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> None:
    """Delete a recording (its tutor, or an operator); its files are deleted in the background."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        session_for(session, caller, recording.session_id, change=isinstance(caller, UserCaller))
        session.expunge(recording)
        delete_recording(session, recording_id, principal=caller.principal)
