"""`/record`, the page that records; it shows how `/recorder.js` is used."""

from contextlib import suppress
from functools import lru_cache
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from worker.api.http.static_files import StaticFile
from worker.api.pages.page_assets import REVALIDATED, page_file, with_version
from worker.api.services import Services, ServicesOf
from worker.uploads.upload_rows import base_urls_of_open

router = APIRouter(include_in_schema=False)


def _policy(*upload_origins: str) -> str:
    """The policy of the page, which may send to its own origin and to these."""
    connected = " ".join(("'self'", *upload_origins))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src {connected}; "
        "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


_HEADERS = {
    "Content-Type": "text/html; charset=utf-8",
    "Cache-Control": REVALIDATED,
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), screen-wake-lock=(self)",
}


@router.get("/record")
def get_page(request: Request, services: ServicesOf) -> Response:
    """The page."""
    return page(_upload_origins(services)).response(request)


def _upload_origins(services: Services) -> tuple[str, ...]:
    """Origins of this API's UPLOAD_BASE_URL, and of those of all open uploads: this browser may have begun one there.

    None of them without the setting. Without the database only this API's: the page must load and record.
    """
    own = services.settings.upload_base_url
    if own is None:
        return ()
    urls = {own}
    with suppress(SQLAlchemyError), services.database.transaction() as session:
        urls |= base_urls_of_open(session)
    return tuple(sorted({f"{url.scheme}://{url.netloc}" for url in map(urlsplit, urls)}))


@lru_cache(maxsize=32)
def page(upload_origins: tuple[str, ...]) -> StaticFile:
    """The page, which may also send to `upload_origins`."""
    headers = _HEADERS | {"Content-Security-Policy": _policy(*upload_origins)}
    return StaticFile(with_version(page_file("record.html")).encode(), headers)
