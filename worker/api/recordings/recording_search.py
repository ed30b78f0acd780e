"""Search in a recording: `…/search`."""

from dataclasses import asdict

from fastapi import APIRouter

from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.http.problems import responses
from worker.api.recordings.recording_text_documents import MatchDocument, MatchesDocument, SearchQuery
from worker.api.services import ServicesOf
from worker.recordings.reading import find_recording
from worker.workflows.recordings.search_recording import Matches, search_recording

router = APIRouter(prefix="/v1/recordings", tags=["recordings"], responses=responses(401, 403, 404, 422, 503))


@router.get("/{recording_id}/search", summary="Search in a recording")
def get_search(recording_id: RowId, q: SearchQuery, caller: CallerOf, services: ServicesOf) -> MatchesDocument:
    """Where captions, chapters and typed text of the board have all words of `q`.

    Upper and lower case, accents, and Ge'ez letters of one sound make no difference.
    """
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        return matches_document(search_recording(session, recording, q))


def matches_document(matches: Matches) -> MatchesDocument:
    """The response to a search."""
    return MatchesDocument(items=[MatchDocument(**asdict(match)) for match in matches.matches], total=matches.total)
