"""`/watch/{id}/plain`: a lesson without any script, for old browsers: sound, film, chapters, the board's pages."""

import gzip
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import cache
from typing import Literal

from fastapi import APIRouter, Request
from jinja2 import Environment, PackageLoader, StrictUndefined
from sqlalchemy.orm import Session
from starlette.responses import HTMLResponse, Response

from models.recordings import Recording
from worker import clock
from worker.access.session_access import session_for
from worker.access.tickets import player_ticket
from worker.access.visibility import visible_recordings
from worker.api.http.addresses import public_address
from worker.api.http.callers import CallerOf
from worker.api.http.conditional import accepts_gzip
from worker.api.http.fields import RowId
from worker.api.http.problems import responses
from worker.api.http.stream_tickets import TicketDocument
from worker.api.pages.page_assets import version
from worker.api.pages.plain_content import plain_content
from worker.api.pages.watch_page import bucket_origin
from worker.api.services import Services, ServicesOf
from worker.canvases.snapshots.showing import SnapshotStatus, show_board
from worker.player.player_files import words_of
from worker.recordings.outputs.playback import PlaybackPlan, plan_playback
from worker.recordings.reading import find_recording
from worker.recordings.texts.chapters import Chapter
from worker.workflows.boards.board_moments import chapters_of

router = APIRouter()

_POLICY = (
    "default-src 'none'; style-src 'self'; media-src {bucket}; img-src {bucket}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


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


@router.get("/watch/{recording_id}/plain", include_in_schema=False)
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
    page = render_plain(services, planned, PlainOptions(language, pictures))
    return plain_response(services, request, page)


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


def render_plain(services: Services, planned: PlainPlan, options: PlainOptions) -> str:
    """The page of a recording. Requests addresses from B2, so no transaction may be open."""
    plan = planned.playback
    if options.seconds is not None:
        plan = replace(plan, seconds=min(plan.seconds, options.seconds))
    words = words_of(options.language)
    values = plain_content(services, plan, planned.chapters, options.pictures, words)
    title = planned.title or words["title"]
    template = _templates().get_template("plain.html.j2")
    values |= {"title": title, "language": options.language, "words": words, "part": options.part}
    return template.render(version=version(), **values)


def plain_response(services: Services, request: Request, page: str) -> Response:
    """The page, compressed for a browser that accepts it."""
    headers = {
        "Content-Security-Policy": _POLICY.format(bucket=bucket_origin(services)),
        "Cache-Control": "private, no-store",
        "Referrer-Policy": "no-referrer",
        "Vary": "Accept-Encoding",
    }
    if not accepts_gzip(request.headers.get("accept-encoding", "")):
        return HTMLResponse(page, headers=headers)
    return HTMLResponse(gzip.compress(page.encode(), mtime=0), headers=headers | {"Content-Encoding": "gzip"})


@cache
def _templates() -> Environment:
    return Environment(
        loader=PackageLoader("worker.api", "pages"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
