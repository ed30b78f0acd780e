"""No body is read past its limit, whatever Content-Length says."""

from collections.abc import Container

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.api.problems import problem_response
from worker.errors import TooLarge


class LimitBody:
    """ASGI middleware: 413 for a body of more than `most` bytes.

    `streamed` holds the (method, path) of routes that read their body piece by piece under limits of their own.
    """

    def __init__(self, app: ASGIApp, *, most: int, streamed: Container[tuple[str, str]] = ()) -> None:
        self._app = app
        self._most = most
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (scope["method"], scope["path"]) in self._streamed:
            await self._app(scope, receive, send)
            return
        detail = f"The body is larger than {self._most} bytes."
        declared = Headers(scope=scope).get("content-length", "")
        if declared.isdecimal() and int(declared[:20]) > self._most:
            await problem_response(scope, TooLarge(detail))(scope, receive, send)
            return
        received = 0

        async def counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > self._most:
                # Not our own error: the framework turns all but its own into "400" while it reads a body. Without
                # the header the server would go on reading, and throwing away, for as long as the client sends.
                raise HTTPException(TooLarge.status, detail, headers={"Connection": "close"})
            return message

        await self._app(scope, counted, send)
