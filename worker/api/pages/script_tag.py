"""`/astegni.js`: what the platform's pages load to use this API, with one `<script>` after the whiteboard's own."""

from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.api.http.static_files import StaticFile

router = APIRouter(include_in_schema=False)

# In this order: each part uses what the parts before it declare.
_PARTS = (
    *("environment", "client", "store", "queue", "boards"),
    *("whiteboard", "recordings", "recorder", "alarms", "install"),
)
# One scope for all parts, so that no name leaks into the page's. Loading it a second time does nothing.
_BEFORE = "(() => {\n'use strict';\nif (window.astegni || !document.currentScript?.src) return;\n"
_AFTER = "})();\n"
_HEADERS = {
    "Content-Type": "text/javascript; charset=utf-8",
    # Fresh for an hour; for a week after that, a page uses its copy and checks for a new version meanwhile.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=604800",
    "Cross-Origin-Resource-Policy": "cross-origin",
}


@router.get("/astegni.js")
def get_script(request: Request) -> Response:
    """The script; 304 for a browser that has it already."""
    return script().response(request)


@cache
def script() -> StaticFile:
    """The parts in one scope."""
    folder = files("worker.api.pages") / "tag"
    parts = "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in _PARTS)
    return StaticFile(f"{_BEFORE}{parts}{_AFTER}".encode(), _HEADERS)
