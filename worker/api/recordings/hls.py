"""Playlists of a recording: `…/hls/master.m3u8` and one for each track. Players send no headers, so all addresses in
them are signed."""

from datetime import datetime, timedelta
from typing import Any, Literal

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from models.recordings import Recording, Rendition
from worker import clock
from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.problems import responses
from worker.api.recordings.playback import AddressOfFile, addresses_until, ticketed
from worker.api.services import Services, ServicesOf
from worker.errors import NotFound
from worker.media.renditions.fragments import Segments
from worker.media.renditions.hls_playlists import HlsTrack, master_playlist, media_playlist
from worker.media.renditions.rendition_forms import PICTURES
from worker.recordings.outputs.playback import plan_playback
from worker.recordings.outputs.rendition_rows import HLS_MIME, segmented_rows
from worker.recordings.reading import find_recording

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))

TrackName = Literal["audio-aac", "360p", "720p", "board"]

PLAYLIST: dict[int | str, dict[str, Any]] = {
    200: {"description": "A playlist (RFC 8216).", "content": {HLS_MIME: {"schema": {"type": "string"}}}}
}


@router.get(
    "/{recording_id}/hls/master.m3u8", response_class=Response, responses=PLAYLIST, summary="Read the HLS playlist"
)
def get_master(recording_id: RowId, request: Request, caller: CallerOf, services: ServicesOf) -> Response:
    """The tracks of a recording for players of HLS; `playback` has its address with a ticket."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        expires_at = clock.now() + timedelta(seconds=plan_playback(session, recording).seconds)
        address_of = ticketed(request, services.settings, caller, expires_at)
        return master_response(session, recording, address_of)


@router.get(
    "/{recording_id}/hls/{track}.m3u8", response_class=Response, responses=PLAYLIST, summary="Read a track's playlist"
)
def get_track(recording_id: RowId, track: TrackName, caller: CallerOf, services: ServicesOf) -> Response:
    """The segments of one track, as byte ranges of its file; the master playlist has its address with a ticket."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        expires_at = clock.now() + timedelta(seconds=plan_playback(session, recording).seconds)
        row = find_track(session, recording, track)
    return track_response(services, row, expires_at)


def master_response(session: Session, recording: Recording, address_of: AddressOfFile) -> Response:
    """The master playlist; `address_of` gives the address of `360p.m3u8` and the like. Raises NotFound."""
    rows = segmented_rows(session, recording.id)
    tracks = {
        name: HlsTrack(
            address_of(f"{name}.m3u8"),
            row.codecs or "",
            (row.width, row.height) if row.width and row.height else None,
            Segments.of(row.segments or {}),
        )
        for name, row in rows.items()
    }
    if not tracks:
        raise _no_tracks(recording)
    return _response(master_playlist([tracks[name] for name in tracks if name in PICTURES], tracks.get("audio-aac")))


def find_track(session: Session, recording: Recording, track: str) -> Rendition:
    """The row of one track. Raises NotFound."""
    row = segmented_rows(session, recording.id).get(track)
    if row is None or row.object_name is None:
        raise _no_tracks(recording)
    return row


def track_response(services: Services, row: Rendition, expires_at: datetime) -> Response:
    """The playlist of one track, whose segments are byte ranges of one address that opens until `expires_at`.

    Requests the address from B2, so no transaction may be open.
    """
    address = addresses_until(services, expires_at).of(row.object_name or "")
    return _response(media_playlist(Segments.of(row.segments or {}), address))


def _no_tracks(recording: Recording) -> NotFound:
    return NotFound(f"Recording {recording.id} has no such track for players of HLS yet.")


def _response(playlist: str) -> Response:
    return Response(playlist, media_type=HLS_MIME, headers={"Cache-Control": "no-store"})
