"""HEAD and OPTIONS for every path, and the methods that a path allows (RFC 9110 §9.3.2, §9.3.7, §10.2.1)."""

from contextlib import suppress

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


class _ResponseEnded(OSError):
    """The response to a HEAD is complete; to the route that writes its content it looks like a disconnected client."""


class AnyMethod:
    """ASGI middleware. HEAD runs GET and omits the content, and ends a stream after its headers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Respond to OPTIONS, run GET for HEAD, and pass other requests on."""
        if scope["type"] != "http" or scope["method"] not in {"HEAD", "OPTIONS"} or _has_own_head(scope):
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
                raise _ResponseEnded

        inner = {**scope, "method": "GET"}
        # A streaming response may turn it into the framework's own error for a disconnected client.
        with suppress(_ResponseEnded, ClientDisconnect):
            await self._app(inner, receive, without_content)
        if "route" in inner:
            scope["route"] = inner["route"]  # for the log and the metrics


def _has_own_head(scope: Scope) -> bool:
    """Whether a route responds to HEAD itself, as that of an upload does."""
    return scope["method"] == "HEAD" and any(
        route.matches(scope)[0] is Match.FULL for route in scope["app"].router.routes
    )


def allowed_methods(scope: Scope) -> list[str]:
    """The methods that the requested path allows, in a fixed order; empty for an unknown path."""
    routes = scope["app"].router.routes
    methods = [
        method
        for method in _METHODS
        if any(route.matches({**scope, "method": method})[0] is Match.FULL for route in routes)
    ]
    if "GET" in methods:
        methods.insert(1, "HEAD")
    return [*methods, "OPTIONS"] if methods else []
