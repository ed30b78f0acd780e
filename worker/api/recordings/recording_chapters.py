"""The chapters of a recording: `…/chapters`, as JSON and as WebVTT."""

from fastapi import APIRouter
from starlette.responses import Response

from worker.access.callers import Caller
from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.problems import responses
from worker.api.recordings.recording_changes import changing_recording
from worker.api.recordings.recording_text_documents import ChapterDocument, ChaptersBody, ChaptersDocument
from worker.api.recordings.webvtt_responses import VTT, cues_of_chapters, vtt_response
from worker.api.services import Services, ServicesOf
from worker.errors import InvalidInput
from worker.recordings.reading import duration_ms, find_recording
from worker.recordings.texts.chapters import Chapter, ChapterList, delete_tutors_chapters, set_chapters
from worker.workflows.boards.board_moments import chapters_of
from worker.workflows.renditions.renew_download import renew_download

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))


@router.get("/{recording_id}/chapters", summary="Read chapters")
def get_chapters(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> ChaptersDocument:
    """The chapters of a recording: its tutor's, else those that were detected."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        return _chapters(chapters_of(session, recording))


@router.put("/{recording_id}/chapters", summary="Write chapters")
def put_chapters(recording_id: RowId, body: ChaptersBody, caller: CallerOf, services: ServicesOf) -> ChaptersDocument:
    """Replace the chapters that are shown (as its tutor or an operator). An empty list shows none."""
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


def _renew_download(services: Services, caller: Caller, recording_id: int) -> None:
    with services.database.transaction() as session:
        renew_download(session, recording_id, principal=caller.principal)


def _chapters(stored: ChapterList) -> ChaptersDocument:
    return ChaptersDocument(
        origin=stored.origin, chapters=[ChapterDocument.model_validate(chapter) for chapter in stored.chapters]
    )
