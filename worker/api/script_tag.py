"""`/astegni.js`: what the platform's pages load to use this API, with one `<script>` behind the whiteboard's own."""

import gzip
import hashlib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.api.conditional import accepts_gzip, names

router = APIRouter(include_in_schema=False)

# In this order: each part uses what the parts before it declare.
_PARTS = ("environment", "client", "store", "queue", "boards", "whiteboard", "recordings", "alarms", "install")
# One scope for all parts, and none of their names in the page's. Loaded twice it does nothing the second time.
_BEFORE = "(() => {\n'use strict';\nif (window.astegni || !document.currentScript?.src) return;\n"
_AFTER = "})();\n"
_HEADERS = {
    "Content-Type": "text/javascript; charset=utf-8",
    # A new version is in use within an hour; until a week later a page need not wait for the check.
    "Cache-Control": "public, max-age=3600, stale-while-revalidate=604800",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True)
class Representation:
    """The bytes of one content coding (None: uncompressed), and their entity tag."""

    content: bytes
    coding: str | None
    tag: str

    @property
    def headers(self) -> dict[str, str]:
        """The headers of 200 and 304."""
        return _HEADERS | {"ETag": self.tag}


@router.get("/astegni.js")
def get_script(request: Request) -> Response:
    """The script; 304 for a browser that has it already."""
    representation = compressed() if accepts_gzip(request.headers.get("accept-encoding", "")) else plain()
    if names(", ".join(request.headers.getlist("if-none-match")), representation.tag):
        return Response(status_code=304, headers=representation.headers)
    coding = {"Content-Encoding": representation.coding} if representation.coding else {}
    return Response(representation.content, headers=representation.headers | coding)


@cache
def plain() -> Representation:
    """The parts in one scope."""
    folder = files("worker.api") / "tag"
    parts = "\n".join((folder / f"{name}.js").read_text(encoding="utf-8") for name in _PARTS)
    content = f"{_BEFORE}{parts}{_AFTER}".encode()
    return Representation(content, None, f'"{hashlib.sha256(content).hexdigest()[:32]}"')


@cache
def compressed() -> Representation:
    """The same, compressed once; without the time, since equal tags must mean equal octets."""
    source = plain()
    content = gzip.compress(source.content, compresslevel=9, mtime=0)
    return Representation(content, "gzip", f'{source.tag.removesuffix(chr(34))}-gzip"')
