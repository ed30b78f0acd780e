"""The pages of the board beside a film: `GET /v1/recordings/{id}/pages`."""

from datetime import datetime, timedelta

from fastapi import APIRouter

from models.snapshots import Snapshot
from worker import clock
from worker.access.session_access import session_for
from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Document, RowId
from worker.api.http.problems import responses
from worker.api.services import Services, ServicesOf
from worker.canvases.snapshots.names import shared_folder
from worker.recordings.outputs.playback import plan_playback
from worker.recordings.reading import find_recording
from worker.workflows.boards.pages_beside import PagesBeside, pages_beside

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 409, 422, 503))


class RecordingPage(Document):
    """A page of the board as it looks now: a picture, and a small one."""

    page_number: int
    picture_url: str
    thumbnail_url: str
    width: int
    height: int
    bytes: int
    thumbnail_bytes: int


class RecordingPageTurn(Document):
    """From `start_ms` on this page was shown."""

    start_ms: int
    page_number: int


class RecordingPages(Document):
    """Pages and turns; the addresses are valid until `expires_at`."""

    pages: list[RecordingPage]
    turns: list[RecordingPageTurn]
    expires_at: datetime


@router.get("/{recording_id}/pages", summary="Read the pages of the board beside a recording")
def get_pages(recording_id: RowId, caller: CallerOf, services: ServicesOf) -> RecordingPages:
    """The pages of the board that were shown while the recording was made, with their pictures.

    Empty for a film that shows the board itself, and until the board is drawn.
    """
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        seconds = plan_playback(session, recording).seconds
        session_for(session, caller, recording.session_id)
        beside = pages_beside(session, recording)
    return RecordingPages(
        pages=_pages(services, beside, seconds),
        turns=[RecordingPageTurn.model_validate(turn) for turn in beside.turns],
        expires_at=clock.now() + timedelta(seconds=seconds),
    )


def _pages(services: Services, beside: PagesBeside, seconds: int) -> list[RecordingPage]:
    if not beside.pages:
        return []
    store = services.context.store
    names = [row.object_name for page in beside.pages for row in (page.picture, page.thumbnail)]
    token = store.authorize_download(shared_folder(names), seconds)

    def signed(row: Snapshot) -> str:
        return store.signed_url(row.object_name, token)

    return [
        RecordingPage(
            page_number=page.page_number,
            picture_url=signed(page.picture),
            thumbnail_url=signed(page.thumbnail),
            width=page.picture.width or 0,
            height=page.picture.height or 0,
            bytes=page.picture.bytes,
            thumbnail_bytes=page.thumbnail.bytes,
        )
        for page in beside.pages
    ]
