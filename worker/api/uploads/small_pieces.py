"""The fast path of a piece whose body arrives at once: its caller, checks and bytes are handled in one thread.

A lesson that is uploaded while it is recorded consists of many such pieces. The router, the dependencies of a route and
a thread switch for each of them would cost more than the piece itself.
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

from worker.api.http.database_errors import database_unavailable
from worker.api.http.problem_response import problem_response
from worker.api.services import Services
from worker.database import DATABASE_UNAVAILABLE
from worker.errors import AstegniError

_PATH = re.compile("/v1/uploads/([0-9a-f]{32})")
# As much of a body as the server reads anyway before it knows the sender.
_MOST = 65_536
# Seconds to wait for the body. Then the route takes over: it registers the request, so that a later one can replace it.
_LONGEST_WAIT = 0.2

# Appends a body that is complete to the upload with this id, or returns None; called in a thread.
AppendAtOnce = Callable[[Services, Request, str, bytes], Response | None]


class SmallPieces:
    """ASGI middleware: calls `append` with the small body of a PATCH that arrives at once.

    The app gets all other requests, and those for which `append` returns None. `route` is the app's route for them, for
    the log and the metrics.
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
        except DATABASE_UNAVAILABLE as error:
            return problem_response(scope, database_unavailable(error))


def _upload_id(scope: Scope) -> str | None:
    """The upload to which a small body is appended; None for any other request."""
    if scope["type"] != "http" or scope["method"] != "PATCH":
        return None
    path, headers = _PATH.fullmatch(scope["path"]), Headers(scope=scope)
    size = headers.get("content-length", "")
    # A client that expects 100-continue is asked to send only after it is identified.
    if path is None or not size.isdecimal() or int(size[:20]) > _MOST or "expect" in headers:
        return None
    return path[1]


def _after(arrived: bytes, receive: Receive, *, is_complete: bool) -> Receive:
    """A `receive` that first replays what has arrived."""
    messages: list[Message] = [{"type": "http.request", "body": arrived, "more_body": not is_complete}]

    async def receive_again() -> Message:
        return messages.pop() if messages else await receive()

    return receive_again


async def _read(receive: Receive) -> tuple[bytes, bool]:
    """Read what arrives of a small body within _LONGEST_WAIT seconds; returns it, and whether it is complete."""
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
