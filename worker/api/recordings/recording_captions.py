"""The captions of a recording: `…/captions` and `…/captions/{language}`, as JSON and as WebVTT."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.responses import Response

from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.paging import Page
from worker.api.http.problems import responses
from worker.api.recordings.recording_changes import changeable_recording, changing_recording
from worker.api.recordings.recording_text_documents import (
    CaptionsDocument,
    CaptionTrackDocument,
    CueDocument,
    Language,
    LeftOutDocument,
    StoredCaptions,
)
from worker.api.recordings.webvtt_responses import VTT, vtt_response
from worker.api.services import ServicesOf
from worker.media.captions.cue import MAX_NAMED, Cue
from worker.media.captions.read_captions import read_captions
from worker.recordings.reading import duration_ms, find_recording
from worker.recordings.texts.captions import caption_tracks, delete_captions, find_captions, set_captions

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))


# Ten hours of speech in letters of three bytes.
MAX_CAPTION_BYTES = 2_000_000

_CAPTION_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/vtt": {"schema": {"type": "string", "description": "WebVTT or SRT.", "examples": ["WEBVTT\n…"]}}
        },
    }
}


@router.get("/{recording_id}/captions", summary="List captions")
def get_captions(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> Page[CaptionTrackDocument]:
    """The languages in which the recording has captions."""
    with services.database.transaction() as session:
        find_recording(session, recording_id, visible_recordings(caller))
        tracks = caption_tracks(session, recording_id)
    return Page(items=[CaptionTrackDocument.model_validate(track) for track in tracks], next=None)


@router.get(
    "/{recording_id}/captions.{language}.vtt",
    response_class=Response,
    responses=VTT,
    summary="Read captions as WebVTT",
)
def get_captions_vtt(recording_id: RowId, language: Language, caller: CallerOf, services: ServicesOf) -> Response:
    """The captions as a file for a player's `<track>`; `playback` has its address with a ticket."""
    with services.database.transaction() as session:
        find_recording(session, recording_id, visible_recordings(caller))
        return vtt_response(find_captions(session, recording_id, language)[1])


@router.get("/{recording_id}/captions/{language}", summary="Read captions")
def get_captions_of(
    recording_id: RowId, language: Language, caller: CallerOf, services: ServicesOf
) -> CaptionsDocument:
    """The captions of a language, as plain text."""
    with services.database.transaction() as session:
        find_recording(session, recording_id, visible_recordings(caller))
        track, cues = find_captions(session, recording_id, language)
    return CaptionsDocument(**vars(track), cues=[_cue(cue) for cue in cues])


async def _file(request: Request, _caller: CallerOf) -> bytes:
    return await request.body()


@router.put(
    "/{recording_id}/captions/{language}",
    responses=responses(409, 413),
    openapi_extra=_CAPTION_FILE,
    summary="Store captions",
)
def put_captions(
    recording_id: RowId,
    language: Language,
    content: Annotated[bytes, Depends(_file)],
    caller: CallerOf,
    services: ServicesOf,
) -> StoredCaptions:
    """Store the captions of a language (as its tutor or an operator) instead of the earlier ones.

    The body is a file of WebVTT or SRT. Styles and tags are not kept; invalid captions are listed in
    `left_out` and do not affect the others.
    """
    with services.database.transaction() as session:
        recording = changeable_recording(session, caller, recording_id)
        length = duration_ms(recording)
    captions = read_captions(content, duration_ms=length)
    with changing_recording(services, caller, recording_id) as (session, _recording):
        track = set_captions(session, recording_id, language, captions.cues)
    left_out = [LeftOutDocument(line=cue.line, reason=cue.reason) for cue in captions.rejected[:MAX_NAMED]]
    return StoredCaptions(**vars(track), left_out=left_out, left_out_count=len(captions.rejected))


@router.delete("/{recording_id}/captions/{language}", status_code=204, summary="Delete captions")
def delete_captions_of(recording_id: RowId, language: Language, caller: CallerOf, services: ServicesOf) -> None:
    """Delete the captions of a language (as its tutor or an operator)."""
    with changing_recording(services, caller, recording_id) as (session, _recording):
        delete_captions(session, recording_id, language)


def _cue(cue: Cue) -> CueDocument:
    return CueDocument(start_ms=cue.start_ms, end_ms=cue.end_ms, text=cue.text)
