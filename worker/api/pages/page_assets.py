"""Scripts and style sheets of the pages. Their addresses carry one version, so no page mixes those of two releases."""

import hashlib
import re
from functools import cache
from importlib.resources import files

from fastapi import APIRouter, Request
from starlette.responses import Response

from worker.api.http.static_files import StaticFile
from worker.player.player_files import INDEX_PARTS, PAGE_PARTS, RECORD_PARTS, joined, player_file

router = APIRouter(include_in_schema=False)

# Pages check at each load, with an entity tag, whether they are still those of this release.
REVALIDATED = "private, no-cache"

_SCRIPT = {"Content-Type": "text/javascript; charset=utf-8"}
_STYLE = {"Content-Type": "text/css; charset=utf-8"}
_MODULE = _SCRIPT | {
    # Pages of other origins import it, and it is the same for everybody.
    "Access-Control-Allow-Origin": "*",
    "Cross-Origin-Resource-Policy": "cross-origin",
    # For the worker that the module starts.
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; connect-src 'self'; frame-ancestors 'none'",
}
# The module of these parts, in this order: each uses what the parts before it declare.
_RECORDER_PARTS = ("disk", "journal", "microphone", "sender", "recorder")
_FOLDER = files("worker.api.pages")
# Comments that have lines of their own.
_COMMENT = re.compile(r"^ *(?://[^\n]*|/\*\*.*?\*/)\n", re.MULTILINE | re.DOTALL)
_HEADERS = {
    "/watch.js": _SCRIPT,
    "/watch.css": _STYLE,
    "/watch-words-en.js": _SCRIPT,
    "/watch-words-am.js": _SCRIPT,
    "/watch-old.js": _SCRIPT,
    "/index.js": _SCRIPT,
    "/recorder.js": _MODULE,
    "/record.js": _SCRIPT,
    "/record-words.js": _SCRIPT,
    "/record.css": _STYLE,
    "/plain.css": _STYLE,
    "/docs.css": _STYLE,
}
_OF_THIS_VERSION = "public, max-age=31536000, immutable"
# Another version, of a page that was loaded before a release or from another API during one, or none.
_OF_ANOTHER_VERSION = "public, no-cache"
# Pages of others import the module without a version. It is fresh for an hour; for a week after that, a page uses its
# copy and checks for a new version meanwhile.
_OF_OTHERS = "public, max-age=3600, stale-while-revalidate=604800"


def get_asset(request: Request) -> Response:
    """A script or style sheet: cached permanently at the address of this version; 304 if a browser has it."""
    path, named = request.scope["route"].path, request.query_params.get("v")
    if named is None and path == "/recorder.js":
        return asset(path, _OF_OTHERS).response(request)
    return asset(path, _OF_THIS_VERSION if named == version() else _OF_ANOTHER_VERSION).response(request)


for _path in _HEADERS:
    router.add_api_route(_path, get_asset, methods=["GET"])


@cache
def asset(path: str, cache_control: str = _OF_ANOTHER_VERSION) -> StaticFile:
    """The file at this path."""
    return StaticFile(with_version(_texts()[path]).encode(), _HEADERS[path] | {"Cache-Control": cache_control})


def with_version(text: str) -> str:
    """The text of a page or script with the version in the addresses of what it loads."""
    return text.replace("{version}", version())


@cache
def version() -> str:
    """The version of all assets: a hash of their content."""
    return hashlib.sha256(repr(sorted(_texts().items())).encode()).hexdigest()[:16]


def page_file(name: str) -> str:
    """The text of a file of this package."""
    return (_FOLDER / name).read_text(encoding="utf-8")


@cache
def _texts() -> dict[str, str]:
    """The assets by path, without the version."""
    return {
        "/watch.js": joined(PAGE_PARTS),
        "/watch.css": player_file("watch.css"),
        "/watch-words-en.js": player_file("words-en.js"),
        "/watch-words-am.js": player_file("words-am.js"),
        "/watch-old.js": player_file("scripts/old.js"),
        "/index.js": joined(INDEX_PARTS),
        "/recorder.js": _recorder(),
        "/record.js": f"{joined(RECORD_PARTS)}\n{page_file('record.js')}",
        **{f"/{name}": page_file(name) for name in ("record-words.js", "record.css")},
        **{f"/{name}": page_file(name) for name in ("plain.css", "docs.css")},
    }


def _recorder() -> str:
    """The parts in one module, without their comments, which are a fifth of its compressed size."""
    return _COMMENT.sub("", "\n".join(page_file(f"recorder/{name}.js") for name in _RECORDER_PARTS))
