"""The short way of a piece that is here at once: its caller, its checks and its bytes in one thread, in one go.

A lesson that is sent while it is recorded is many such pieces. The router, the dependencies of a route and a change to
a thread for each of them cost more than the piece.
"""

import asyncio
import re
from collections.abc import Callable

from fastapi import Request
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.api.http.database_errors import database_away
from worker.api.http.problem_response import problem_response
from worker.api.services import Services
from worker.database import AWAY
from worker.errors import AstegniError

_PATH = re.compile("/v1/uploads/([0-9a-f]{32})")
# As much as the server has read of a body anyway before it knows the sender.
_MOST = 65_536
# A request that waits for its client has begun, so that a later one replaces it. It has not before this many seconds.
_LONGEST_WAIT = 0.2

# Appends a body that is complete to the upload with this id, or returns None; called in a thread.
AppendAtOnce = Callable[[Services, Request, str, bytes], Response | None]


class SmallPieces:
    """ASGI middleware: calls `append` with a small body of a PATCH that is here at once.

    The app gets any other request, and those for which `append` returned None. `route` is that of the app, for the log
    and the metrics.
    """

    def __init__(self, app: ASGIApp, *, services: Services, route: APIRoute, append: AppendAtOnce) -> None:
        self._app = app
        self._services = services
        self._route = route
        self._append = append

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        upload_id = _upload_id(scope)
        if upload_id is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = self._route
        arrived, is_complete = await _read(receive)
        response = await self._respond(scope, upload_id, arrived) if is_complete else None
        if response is None:
            await self._app(scope, _after(arrived, receive, is_complete=is_complete), send)
            return
        await response(scope, receive, send)

    async def _respond(self, scope: Scope, upload_id: str, body: bytes) -> Response | None:
        try:
            return await run_in_threadpool(self._append, self._services, Request(scope), upload_id, body)
        except AstegniError as error:
            return problem_response(scope, error)
        except AWAY as error:
            return problem_response(scope, database_away(error))


def _upload_id(scope: Scope) -> str | None:
    """The upload to which a small body is appended; None for any other request."""
    if scope["type"] != "http" or scope["method"] != "PATCH":
        return None
    path, headers = _PATH.fullmatch(scope["path"]), Headers(scope=scope)
    size = headers.get("content-length", "")
    # A client that expects 100-continue is told to send only when it is known.
    if path is None or not size.isdecimal() or int(size[:20]) > _MOST or "expect" in headers:
        return None
    return path[1]


def _after(arrived: bytes, receive: Receive, *, is_complete: bool) -> Receive:
    """A `receive` that begins with what has arrived."""
    messages: list[Message] = [{"type": "http.request", "body": arrived, "more_body": not is_complete}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def _read(receive: Receive) -> tuple[bytes, bool]:
    """What arrives of a small body within a moment, and whether that is all of it."""
    arrived = bytearray()
    try:
        async with asyncio.timeout(_LONGEST_WAIT):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return bytes(arrived), False
                arrived += message.get("body", b"")
                if not message.get("more_body", False):
                    return bytes(arrived), True
    except TimeoutError:
        return bytes(arrived), False
