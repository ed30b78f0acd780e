"""What is read beside a recording: `…/chapters`, `…/captions/{language}`, as JSON and as WebVTT, and `…/search`."""

from dataclasses import asdict
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from models.recordings import Recording
from worker.access.callers import Caller
from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.paging import Page
from worker.api.http.problems import responses
from worker.api.recordings.recording_changes import changeable_recording, changing_recording
from worker.api.recordings.recording_text_documents import (
    CaptionsDocument,
    CaptionTrackDocument,
    ChapterDocument,
    ChaptersBody,
    ChaptersDocument,
    CueDocument,
    Language,
    LeftOutDocument,
    MatchDocument,
    MatchesDocument,
    SearchQuery,
    StoredCaptions,
)
from worker.api.services import Services, ServicesOf
from worker.errors import InvalidInput
from worker.media.captions.cue import MOST_NAMED, Cue
from worker.media.captions.read_captions import read_captions
from worker.media.captions.write_webvtt import write_webvtt
from worker.recordings.captions import caption_tracks, delete_captions, find_captions, set_captions
from worker.recordings.chapters import Chapter, ChapterList, chapter_cues, delete_tutors_chapters, set_chapters
from worker.recordings.reading import duration_ms, find_recording
from worker.workflows.board_moments import chapters_of
from worker.workflows.renew_download import renew_download
from worker.workflows.search_recording import Matches, search_recording

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))

# Ten hours of speech in letters of three bytes.
MOST_CAPTION_BYTES = 2_000_000

VTT: dict[int | str, dict[str, Any]] = {
    200: {"description": "WebVTT.", "content": {"text/vtt": {"schema": {"type": "string"}}}}
}
_CAPTION_FILE = {
    "requestBody": {
        "required": True,
        "content": {
            "text/vtt": {"schema": {"type": "string", "description": "WebVTT or SRT.", "examples": ["WEBVTT\n…"]}}
        },
    }
}


@router.get("/{recording_id}/chapters", summary="Read chapters")
def get_chapters(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> ChaptersDocument:
    """The chapters of a recording: its tutor's, else those that were found."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        return _chapters(chapters_of(session, recording))


@router.put("/{recording_id}/chapters", summary="Write chapters")
def put_chapters(recording_id: RowId, body: ChaptersBody, caller: CallerOf, services: ServicesOf) -> ChaptersDocument:
    """Show these chapters instead (as its tutor or an operator). An empty list: none are shown."""
    chapters = sorted((Chapter(**dict(chapter)) for chapter in body.chapters), key=lambda chapter: chapter.start_ms)
    with changing_recording(services, caller, recording_id) as (session, recording):
        length = duration_ms(recording)
        if chapters and length is not None and chapters[-1].start_ms >= length:
            raise InvalidInput(f"The recording is {length} ms long; a chapter begins at {chapters[-1].start_ms}.")
        set_chapters(session, recording_id, "tutor", chapters)
        document = _chapters(chapters_of(session, recording))
    _renew_download(services, caller, recording_id)
    return document


@router.delete("/{recording_id}/chapters", status_code=204, summary="Go back to the automatic chapters")
def delete_chapters(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> None:
    """Delete what the tutor wrote (as its tutor or an operator); the automatic chapters are shown again. Idempotent."""
    with changing_recording(services, caller, recording_id) as (session, _recording):
        delete_tutors_chapters(session, recording_id)
    _renew_download(services, caller, recording_id)


@router.get("/{recording_id}/chapters.vtt", response_class=Response, responses=VTT, summary="Read chapters as WebVTT")
def get_chapters_vtt(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> Response:
    """The chapters as a file for a player's `<track>`; `playback` has its address with a ticket."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        return vtt_response(cues_of_chapters(session, recording))


@router.get("/{recording_id}/search", summary="Search in a recording")
def get_search(recording_id: RowId, q: SearchQuery, caller: CallerOf, services: ServicesOf) -> MatchesDocument:
    """Where captions, chapters and typed text of the board have all words of `q`.

    Upper and lower case, accents, and Ge'ez letters of one sound make no difference.
    """
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        return matches_document(search_recording(session, recording, q))


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

    The body is a file of WebVTT or SRT. Styles and tags are not kept; captions that are wrong are listed in
    `left_out` and do not affect the others.
    """
    with services.database.transaction() as session:
        recording = changeable_recording(session, caller, recording_id)
        length = duration_ms(recording)
    captions = read_captions(content, duration_ms=length)
    with changing_recording(services, caller, recording_id) as (session, _recording):
        track = set_captions(session, recording_id, language, captions.cues)
    left_out = [LeftOutDocument(line=cue.line, reason=cue.reason) for cue in captions.rejected[:MOST_NAMED]]
    return StoredCaptions(**vars(track), left_out=left_out, left_out_count=len(captions.rejected))


@router.delete("/{recording_id}/captions/{language}", status_code=204, summary="Delete captions")
def delete_captions_of(recording_id: RowId, language: Language, caller: CallerOf, services: ServicesOf) -> None:
    """Delete the captions of a language (as its tutor or an operator)."""
    with changing_recording(services, caller, recording_id) as (session, _recording):
        delete_captions(session, recording_id, language)


def matches_document(found: Matches) -> MatchesDocument:
    """The response to a search."""
    return MatchesDocument(items=[MatchDocument(**asdict(match)) for match in found.matches], total=found.total)


def vtt_response(cues: list[Cue]) -> Response:
    """These captions or chapters as a file."""
    return Response(write_webvtt(cues), media_type="text/vtt")


def cues_of_chapters(session: Session, recording: Recording) -> list[Cue]:
    """The chapters of a recording as the cues of a file."""
    return chapter_cues(chapters_of(session, recording).chapters, duration_ms(recording))


def _renew_download(services: Services, caller: Caller, recording_id: int) -> None:
    with services.database.transaction() as session:
        renew_download(session, recording_id, principal=caller.principal)


def _chapters(stored: ChapterList) -> ChaptersDocument:
    return ChaptersDocument(
        origin=stored.origin, chapters=[ChapterDocument.model_validate(chapter) for chapter in stored.chapters]
    )


def _cue(cue: Cue) -> CueDocument:
    return CueDocument(start_ms=cue.start_ms, end_ms=cue.end_ms, text=cue.text)
