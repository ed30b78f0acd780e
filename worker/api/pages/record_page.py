"""`/recorder.js`, the recorder as a module for any page, and `/record`, the page that shows how it is used."""

import re
from contextlib import suppress
from functools import cache, lru_cache
from importlib.resources import files
from urllib.parse import urlsplit

from fastapi import APIRouter, Request
from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from worker.api.http.static_files import StaticFile
from worker.api.services import Services, ServicesOf
from worker.uploads.upload_rows import base_urls_of_open

router = APIRouter(include_in_schema=False)

# One module of these parts, in this order: each uses what the parts before it declare.
_PARTS = ("disk", "journal", "microphone", "sender", "recorder")
_FOLDER = files("worker.api.pages") / "recorder"
# Comments that have lines of their own.
_COMMENT = re.compile(r"^ *(?://[^\n]*|/\*\*.*?\*/)\n", re.MULTILINE | re.DOTALL)
# Fresh for an hour; for a week after that, a page uses its copy and checks for a new version meanwhile.
_CACHED = {"Cache-Control": "public, max-age=3600, stale-while-revalidate=604800"}
_MODULE = _CACHED | {
    "Content-Type": "text/javascript; charset=utf-8",
    # Pages of other origins import it, and it is the same for everybody.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    # For the worker that the module starts.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
}


def _policy(*upload_origins: str) -> str:
    """The policy of the page, which may send to its own origin and to these."""
    connected = " ".join(("'self'", *upload_origins))
    return (
        f"default-src 'none'; script-src 'self'; style-src 'self'; connect-src {connected}; "
        "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )


_PAGE = _CACHED | {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": _policy(),
    "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), screen-wake-lock=(self)",
}


_STYLE = _CACHED | {"Content-Type": "text/css; charset=utf-8"}
# Path, file in `pages`, and headers.
_PAGES = {
    "/record": ("record.html", _PAGE),
    "/record.css": ("record.css", _STYLE),
    "/record.js": ("record.js", _MODULE),
    "/record-words.js": ("record-words.js", _MODULE),
}


@router.get("/recorder.js")
def get_module(request: Request) -> Response:
    """The module; 304 for a browser that has it already."""
    return module().response(request)


@router.get("/record")
@router.get("/record.css")
@router.get("/record.js")
@router.get("/record-words.js")
def get_page(request: Request, services: ServicesOf) -> Response:
    """The page, its style sheet, its script, and its words in all languages."""
    path = request.scope["route"].path
    return page(path, _upload_origins(services) if path == "/record" else ()).response(request)


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


@cache
def module() -> StaticFile:
    """The parts in one module, without their comments, which are a fifth of its compressed size."""
    content = "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in _PARTS)
    return StaticFile(_COMMENT.sub("", content).encode(), _MODULE)


@lru_cache(maxsize=32)
def page(path: str, upload_origins: tuple[str, ...]) -> StaticFile:
    """A file of the page, which may also send to `upload_origins`."""
    name, headers = _PAGES[path]
    if upload_origins:
        headers = headers | {"Content-Security-Policy": _policy(*upload_origins)}
    return StaticFile((files("worker.api.pages") / name).read_bytes(), headers)
