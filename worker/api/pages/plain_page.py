"""`/watch/{id}/plain`: a lesson without any script, for old browsers: sound, film, chapters, the board's pages."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from fastapi import APIRouter, Request
from sqlalchemy.orm import Session
from starlette.responses import Response

from models.recordings import Recording
from worker.access.session_access import session_for
from worker.access.visibility import visible_recordings
from worker.api.http.callers import CallerOf
from worker.api.http.fields import RowId
from worker.api.pages.plain_content import plain_content
from worker.api.pages.plain_errors import PlainRoute
from worker.api.pages.plain_template import plain_response
from worker.api.pages.watch_page import bucket_origin
from worker.api.services import Services, ServicesOf
from worker.canvases.snapshots.showing import SnapshotStatus, show_board
from worker.player.player_files import words_of
from worker.recordings.outputs.playback import PlaybackPlan, plan_playback
from worker.recordings.reading import find_recording
from worker.recordings.texts.chapters import Chapter
from worker.workflows.boards.board_moments import chapters_of

router = APIRouter(route_class=PlainRoute, include_in_schema=False)


@router.get("/watch/{recording_id}/plain")
def get_plain(
    recording_id: RowId,
    request: Request,
    caller: CallerOf,
    services: ServicesOf,
    language: Literal["en", "am"] = "en",
) -> Response:
    """The page; `ticket` in its address identifies the caller."""
    with services.database.transaction() as session:
        recording = find_recording(session, recording_id, visible_recordings(caller))
        pictures = show_board(session, session_for(session, caller, recording.session_id))
        planned = plan_plain(session, recording)
    values = plain_values(services, planned, PlainOptions(language, pictures))
    return plain_response(request, values, bucket=bucket_origin(services))


@dataclass(frozen=True)
class PlainOptions:
    """What differs between plain pages: the language, the board's pictures, and the part of a share.

    `part` is a media fragment like `#t=60,90`; addresses are valid for `seconds`, by default as long as a playback's.
    """

    language: Literal["en", "am"]
    pictures: Sequence[SnapshotStatus] = ()
    part: str = ""
    seconds: int | None = None


@dataclass(frozen=True)
class PlainPlan:
    """What the database has for the page."""

    title: str | None
    playback: PlaybackPlan
    chapters: Sequence[Chapter]


def plan_plain(session: Session, recording: Recording) -> PlainPlan:
    """Plan the page of a recording. Raises Conflict when it cannot be played now."""
    playback = plan_playback(session, recording)
    return PlainPlan(recording.recording_title, playback, chapters_of(session, recording).chapters)


def plain_values(services: Services, planned: PlainPlan, options: PlainOptions) -> dict[str, Any]:
    """The values of a recording's page. Requests addresses from B2, so no transaction may be open."""
    plan = planned.playback
    if options.seconds is not None:
        plan = replace(plan, seconds=min(plan.seconds, options.seconds))
    words = words_of(options.language)
    values = plain_content(services, plan, planned.chapters, options.pictures, words)
    title = planned.title or words["title"]
    return values | {
        "title": title,
        "language": options.language,
        "words": words,
        "part": options.part,
        "message": "",
    }
