"""`/watch/{id}` and `/watch/shared/{secret}`: the page that plays a lesson."""

from functools import cache
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from worker.api.http.fields import RowId
from worker.api.http.static_files import StaticFile
from worker.api.pages.page_assets import REVALIDATED, with_version
from worker.api.services import Services, ServicesOf
from worker.errors import AstegniError
from worker.player.player_files import player_file

router = APIRouter(include_in_schema=False)

# The page is the same for everybody, but its path may contain a share's secret: no shared cache may keep it.
PAGE_HEADERS = {"Content-Type": "text/html; charset=utf-8", "Cache-Control": REVALIDATED}
# Strokes, sound, film and pictures come from the bucket; everything else from the API itself.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self' {bucket}; "
    "media-src 'self' blob: {bucket}; img-src 'self' data: blob: {bucket}; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
# The path from a shared page to the folder of its files.
SHARED_ROOT = "../../"
# Relative, because the page is the same for all shares, and only its address has the secret.
_PLAIN = '<p><a href="?plain=1">Page for old browsers · ለቆዩ አሳሾች የሚሆን ገጽ</a></p>'


@router.get("/watch/{recording_id}")
def get_page(request: Request, recording_id: RowId, services: ServicesOf) -> Response:  # noqa: ARG001 - its script reads it
    """The page of a recording; whether the caller may see it is decided by the requests of its script."""
    return page("../", bucket_origin(services)).response(request)


@router.get("/watch/shared/{secret}")
def get_shared_page(request: Request, secret: str, services: ServicesOf, *, plain: bool = False) -> Response:
    """The page of a shared recording, for people without a token; with `plain` the page without script."""
    if plain:
        return RedirectResponse(f"{quote(secret, safe='')}/plain", status_code=303)
    return page(SHARED_ROOT, bucket_origin(services)).response(request)


def bucket_origin(services: Services) -> str:
    """The origin of the bucket's downloads; empty when the storage does not respond, so that nothing can be played."""
    try:
        return services.context.store.download_origin()
    except AstegniError:
        return ""


@cache
def page(root: str, bucket: str) -> StaticFile:
    """The page; `root` is the path to the folder of its files, `bucket` the origin that it may load objects from."""
    text = player_file("watch.html").replace("{root}", root).replace("{plain}", _PLAIN if root == SHARED_ROOT else "")
    for name in ("player", "contents"):
        text = text.replace(f"{{{name}}}", player_file(f"{name}.html"))
    headers = PAGE_HEADERS | {"Content-Security-Policy": _POLICY.format(bucket=bucket)}
    return StaticFile(with_version(text).encode(), headers)
