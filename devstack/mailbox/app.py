"""The HTTP side: messages as JSON, and one message's HTML, source and attachments."""

from collections.abc import Iterator
from functools import partial
from json import dumps
from urllib.parse import quote

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Lifespan

from devstack.mailbox.messages import MailMessage, read_message
from devstack.mailbox.store import MessageStore, StoredMessage

_SAFE = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
# The HTML of a message runs no script, sends no form, has an origin of its own and fetches nothing from elsewhere, so
# that no sender learns that it was opened.
_MESSAGE_HTML = _SAFE | {
    "Content-Security-Policy": "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none';"
    " form-action 'none'; frame-ancestors 'none'"
}


def create_mailbox(store: MessageStore, *, lifespan: Lifespan[Starlette]) -> Starlette:
    """The application that shows the contents of `store`, with this `lifespan`."""
    routes = {
        "/": _messages,
        "/messages": _messages,
        "/messages/{id:int}": _message,
        "/messages/{id:int}/html": _html,
        "/messages/{id:int}/raw": _raw,
        "/messages/{id:int}/attachments/{number:int}": _attachment,
    }
    return Starlette(
        routes=[
            *(Route(path, partial(handler, store), methods=["GET"]) for path, handler in routes.items()),
            Route("/messages", partial(_clear, store), methods=["DELETE"]),
        ],
        lifespan=lifespan,
        # A page elsewhere could resolve its own name to our address and read the mail (DNS rebinding).
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=["127.0.0.1", "localhost"])],
    )


def _messages(store: MessageStore, _request: Request) -> Response:
    return StreamingResponse(_as_list(store), media_type="application/json", headers=_SAFE)


def _message(store: MessageStore, request: Request) -> Response:
    stored, message = _requested(store, request)
    return JSONResponse(message.document(stored.id, stored.received_at), headers=_SAFE)


def _html(store: MessageStore, request: Request) -> Response:
    return HTMLResponse(_requested(store, request)[1].html, headers=_MESSAGE_HTML)


def _raw(store: MessageStore, request: Request) -> Response:
    stored = _stored(store, request)
    return _download(stored.content() or b"", f"{stored.id}.eml", "message/rfc822")


def _attachment(store: MessageStore, request: Request) -> Response:
    attachments = _requested(store, request)[1].attachments
    number = request.path_params["number"]
    if number >= len(attachments):
        raise HTTPException(404)
    # With its own type a browser might show it as a page of this origin.
    return _download(attachments[number].content, attachments[number].name, "application/octet-stream")


def _clear(store: MessageStore, _request: Request) -> Response:
    store.clear()
    return Response(status_code=204)


def _stored(store: MessageStore, request: Request) -> StoredMessage:
    stored = store.find(request.path_params["id"])
    if stored is None:
        raise HTTPException(404, "There is no such message.")
    return stored


def _requested(store: MessageStore, request: Request) -> tuple[StoredMessage, MailMessage]:
    stored = _stored(store, request)
    return stored, read_message(stored.content() or b"")


def _as_list(store: MessageStore) -> Iterator[str]:
    """The messages one by one: all of them may exceed the memory."""
    separator = "["
    for stored in store.all():
        if (content := stored.content()) is not None:
            yield separator + dumps(read_message(content).document(stored.id, stored.received_at))
            separator = ",\n"
    yield "[]\n" if separator == "[" else "]\n"


def _download(content: bytes, name: str, mime: str) -> Response:
    disposition = f"attachment; filename*=UTF-8''{quote(name, safe='')}"
    return Response(content, media_type=mime, headers=_SAFE | {"Content-Disposition": disposition})
