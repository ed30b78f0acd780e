"""`GET /`: the caller's recordings and lessons of the week; for operators also the unfinished jobs."""

import html
from functools import cache

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.api.http.static_files import StaticFile
from worker.api.pages.page_assets import with_version
from worker.api.pages.watch_page import PAGE_HEADERS, bucket_origin
from worker.api.services import ServicesOf
from worker.player.player_files import player_file

router = APIRouter(include_in_schema=False)

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: {bucket}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@router.get("/")
def get_index(request: Request, services: ServicesOf) -> Response:
    """The page, the same for everybody: its script reads the API with the token that the browser keeps."""
    return _page(bucket_origin(services), services.settings.flower_url or "").response(request)


@cache
def _page(bucket: str, flower: str) -> StaticFile:
    headers = PAGE_HEADERS | {"Content-Security-Policy": _POLICY.format(bucket=bucket)}
    text = with_version(player_file("index.html")).replace("{flower}", html.escape(flower))
    return StaticFile(text.encode(), headers)
