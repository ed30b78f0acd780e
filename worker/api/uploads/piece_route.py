"""The short way of a piece that is here at once: its caller, its checks and its bytes in one thread, in one go.

A lesson that is sent while it is recorded is many such pieces. To resolve the dependencies of a route and to change to
a thread for each of them costs more than the piece.
"""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, cast

from fastapi import Request, Response
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from worker.api.services import Services

# As much as the server has read of a body anyway before it knows the sender.
_MOST = 65_536
# A request that waits for its client has begun, so that a later one replaces it. It has not before this many seconds.
_LONGEST_WAIT = 0.2

Handle = Callable[[Request], Coroutine[Any, Any, Response]]
# Appends a body that is complete; called in a thread.
AppendAtOnce = Callable[[Services, Request, bytes], Response]


def piece_route(append: AppendAtOnce) -> type[APIRoute]:
    """A route that calls `append` with a small body that is here at once, and its endpoint with every other one.

    The endpoint finds what has arrived in `request.state.arrived`, and the rest in the request's stream.
    """

    class PieceRoute(APIRoute):
        def get_route_handler(self) -> Handle:
            other = super().get_route_handler()

            async def handle(request: Request) -> Response:
                arrived, is_complete = await _read(request)
                if not is_complete:
                    request.state.arrived = arrived
                    return await other(request)
                services = cast("Services", request.app.state.services)
                return await run_in_threadpool(append, services, request, arrived)

            return handle

    return PieceRoute


async def _read(request: Request) -> tuple[bytes, bool]:
    """What arrives of a small body within a moment, and whether that is all of it."""
    size = request.headers.get("content-length", "")
    # A client that expects 100-continue is told to send only when it is known.
    if not size.isdecimal() or int(size[:20]) > _MOST or "expect" in request.headers:
        return b"", False
    arrived = bytearray()
    try:
        async with asyncio.timeout(_LONGEST_WAIT):
            async for piece in request.stream():
                arrived += piece
    except (TimeoutError, ClientDisconnect):
        return bytes(arrived), False
    return bytes(arrived), True
