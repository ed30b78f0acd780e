"""`/watch/shared/{secret}/plain`: a shared recording without any script, for old browsers."""

from typing import Literal

from fastapi import APIRouter, Request
from starlette.responses import Response

from models.recording_shares import RecordingShare
from worker import clock
from worker.api.pages.plain_errors import PlainRoute
from worker.api.pages.plain_page import PlainOptions, plain_values, plan_plain
from worker.api.pages.plain_template import plain_response
from worker.api.pages.watch_page import bucket_origin
from worker.api.recordings.shared_recordings import SharingOf
from worker.recordings.shares import count_opening

router = APIRouter(route_class=PlainRoute, include_in_schema=False)


@router.get("/watch/shared/{secret}/plain")
def get_shared_plain(sharing: SharingOf, request: Request, language: Literal["en", "am"] = "en") -> Response:
    """The page, without pictures of the board, which may show more than is shared. Needs no token; is counted."""
    with sharing.opened() as (session, share, recording):
        seconds = max(1, int((share.expires_at - clock.now()).total_seconds()))
        options = PlainOptions(language, part=_part(share), seconds=seconds)
        planned = plan_plain(session, recording)
        count_opening(session, share)
    values = plain_values(sharing.services, planned, options)
    return plain_response(request, values, bucket=bucket_origin(sharing.services))


def _part(share: RecordingShare) -> str:
    """What is shared, as a media fragment."""
    if share.to_seconds is not None:
        return f"#t={share.from_seconds or 0},{share.to_seconds}"
    return f"#t={share.from_seconds}" if share.from_seconds else ""
