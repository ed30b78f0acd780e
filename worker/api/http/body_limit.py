"""Read no body beyond its limit, whatever Content-Length says, and none before its sender is known."""

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.api.http.database_errors import database_unavailable
from worker.api.http.problem_response import problem_response
from worker.api.http.problems import BodyRefused
from worker.database import DATABASE_UNAVAILABLE
from worker.errors import AstegniError, TooLarge

# Without it the server would keep reading and discarding for as long as the client sends.
_CLOSE = {"Connection": "close"}


@dataclass(frozen=True)
class LargerBody:
    """The paths where a body may have `most` bytes."""

    method: str
    path: re.Pattern[str]
    most: int


@dataclass(frozen=True)
class StreamedBody:
    """The paths whose routes stream their body with their own limits, and identify their caller first."""

    method: str
    path: re.Pattern[str]


# Identifies the sender of a request, or raises an error; `request.state.body_bytes` is the size of the body.
Admit = Callable[[Request], Awaitable[Any]]


class LimitBody:
    """ASGI middleware: 413 for a body of more than `most` bytes; 401, 403 and 429 before any of it is read.

    `larger` has the exceptions from `most`.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        most: int,
        admit: Admit,
        larger: Sequence[LargerBody] = (),
        streamed: Sequence[StreamedBody] = (),
    ) -> None:
        self._app = app
        self._most = most
        self._admit = admit
        self._larger = larger
        self._streamed = streamed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self._is_streamed(scope):
            await self._app(scope, receive, send)
            return
        most, headers = self._most_of(scope), Headers(scope=scope)
        too_large = TooLarge(f"The body is larger than {most} bytes.")
        declared = headers.get("content-length", "")
        chunked = "transfer-encoding" in headers
        expected = most if chunked else int(declared[:20]) if declared.isdecimal() else 0
        if expected > most:
            await problem_response(scope, too_large, _CLOSE)(scope, receive, send)
            return
        scope.setdefault("state", {})["body_bytes"] = expected
        received, admitted = 0, expected == 0

        async def counted() -> Message:
            nonlocal received, admitted
            if not admitted:
                try:
                    await self._admit(Request(scope))
                except AstegniError as error:
                    raise BodyRefused(error, _CLOSE if chunked else None) from error
                except DATABASE_UNAVAILABLE as error:
                    raise BodyRefused(database_unavailable(error)) from error
                admitted = True
            message = await receive()
            received += len(message.get("body", b""))
            if received > most:
                raise BodyRefused(too_large, _CLOSE)
            return message

        await self._app(scope, counted, send)

    def _is_streamed(self, scope: Scope) -> bool:
        return any(route.method == scope["method"] and route.path.fullmatch(scope["path"]) for route in self._streamed)

    def _most_of(self, scope: Scope) -> int:
        for larger in self._larger:
            if scope["method"] == larger.method and larger.path.fullmatch(scope["path"]):
                return larger.most
        return self._most
