"""The HTTP side: a page for people, JSON for programs. What a message says is data here, never a page of ours."""

from collections.abc import Iterator
from functools import partial
from json import dumps
from typing import Any
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Lifespan

from devstack.mailbox import pages
from devstack.mailbox.messages import Letter, read_letter
from devstack.mailbox.store import Kept, Letters

_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_PAGE = _SAFE | {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
}
# In a frame or by itself: no scripts, no forms, no plug-ins, an origin of its own, and nothing is fetched from
# elsewhere, so that no sender learns that a message was opened.
_MAIL = _SAFE | {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'self'"
}


def create_mailbox(letters: Letters, *, lifespan: Lifespan[Starlette]) -> Starlette:
    """The application that shows `letters`; `lifespan` is what runs while it does."""
    routes = {
        "/": _list_page,
        "/style.css": _style,
        "/mail/{id:int}": _letter_page,
        "/mail/{id:int}/html": _html,
        "/messages": _messages,
        "/messages/{id:int}": _message,
        "/messages/{id:int}/raw": _raw,
        "/messages/{id:int}/attachments/{number:int}": _attachment,
    }
    return Starlette(
        routes=[
            *(Route(path, partial(answer, letters), methods=["GET"]) for path, answer in routes.items()),
            Route("/messages", partial(_clear, letters), methods=["DELETE"]),
        ],
        # A page elsewhere could give its own name our address and read the mail (DNS rebinding).
        lifespan=lifespan,
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _list_page(letters: Letters, _request: Request) -> Response:
    return HTMLResponse(pages.letter_list(_documents(letters)), headers=_PAGE)


def _style(_letters: Letters, _request: Request) -> Response:
    return Response(pages.STYLE, media_type="text/css", headers=_SAFE)


def _letter_page(letters: Letters, request: Request) -> Response:
    kept, letter = _asked(letters, request)
    return HTMLResponse(pages.letter_page(letter.document(kept.id, kept.received_at)), headers=_PAGE)


def _html(letters: Letters, request: Request) -> Response:
    return HTMLResponse(_asked(letters, request)[1].html, headers=_MAIL)


def _messages(letters: Letters, _request: Request) -> Response:
    return StreamingResponse(_as_list(letters), media_type="application/json", headers=_SAFE)


def _message(letters: Letters, request: Request) -> Response:
    kept, letter = _asked(letters, request)
    return JSONResponse(letter.document(kept.id, kept.received_at), headers=_SAFE)


def _raw(letters: Letters, request: Request) -> Response:
    kept = _found(letters, request)
    return _download(kept.content() or b"", f"{kept.id}.eml", "message/rfc822")


def _attachment(letters: Letters, request: Request) -> Response:
    attachments = _asked(letters, request)[1].attachments
    number = request.path_params["number"]
    if number >= len(attachments):
        raise HTTPException(404)
    # Its own type would let a browser show it as a page of ours.
    return _download(attachments[number].content, attachments[number].name, "application/octet-stream")


def _clear(letters: Letters, _request: Request) -> Response:
    letters.clear()
    return Response(status_code=204)


def _found(letters: Letters, request: Request) -> Kept:
    kept = letters.find(request.path_params["id"])
    if kept is None:
        raise HTTPException(404, "There is no such message.")
    return kept


def _asked(letters: Letters, request: Request) -> tuple[Kept, Letter]:
    kept = _found(letters, request)
    return kept, read_letter(kept.content() or b"")


def _documents(letters: Letters) -> Iterator[dict[str, Any]]:
    for kept in letters.all():
        if (content := kept.content()) is not None:
            yield read_letter(content).document(kept.id, kept.received_at)


def _as_list(letters: Letters) -> Iterator[str]:
    """One message at a time: all of them may be more than fits in memory."""
    yield "["
    for number, document in enumerate(_documents(letters)):
        yield (",\n" if number else "") + dumps(document)
    yield "]\n"


def _download(content: bytes, name: str, mime: str) -> Response:
    named = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type=mime, headers=_SAFE | {"Content-Disposition": named})
