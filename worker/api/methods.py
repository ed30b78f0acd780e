"""HEAD and OPTIONS for every address, and the methods that an address has (RFC 9110 §9.3.2, §9.3.7, §10.2.1)."""

from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class _Answered(OSError):
    """The response to a HEAD is complete; a route that writes its content sees a client that disconnected."""


class AnyMethod:
    """ASGI middleware. HEAD is GET without its content, so that streams end after their headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer OPTIONS; pass on the rest."""
        if scope["type"] != "http" or scope["method"] not in {"HEAD", "OPTIONS"}:
            await self._app(scope, receive, send)
        elif scope["method"] == "HEAD":
            await self._head(scope, receive, send)
        else:
            allowed = allowed_methods(scope)
            respond = Response(status_code=204, headers={"Allow": ", ".join(allowed)}) if allowed else self._app
            await respond(scope, receive, send)

    async def _head(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def without_content(message: Message) -> None:
            if message["type"] != "http.response.body":
                await send(message)
                return
            await send({"type": "http.response.body", "body": b""})
            if message.get("more_body", False):
                raise _Answered

        inner = {**scope, "method": "GET"}
        # A streaming answer may turn it into the framework's own error for a client that has gone.
        with suppress(_Answered, ClientDisconnect):
            await self._app(inner, receive, without_content)
        if "route" in inner:
            scope["route"] = inner["route"]  # for the log and the figures


def allowed_methods(scope: Scope) -> list[str]:
    """The methods of the address that `scope` asks for, in a fixed order; empty where nothing is."""
    routes = scope["app"].router.routes
    methods = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if "GET" in methods:
        methods.insert(1, "HEAD")
    return [*methods, "OPTIONS"] if methods else []
