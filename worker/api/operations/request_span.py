"""A span around every request, for whatever it orders to be part of the same trace."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.tracing.spans import span

# Asked by machines, by the thousand.
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestSpan:
    """ASGI middleware inside of RequestLog, whose request id it has.

    A `traceparent` of the client begins no trace: anybody could have ours sampled, or joined to another one.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] in _UNTRACED:
            await self._app(scope, receive, send)
            return
        status: int | None = None

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        with span("request", method=_method(scope)) as note:
            try:
                await self._app(scope, receive, noted)
            finally:
                # Known once the route was found.
                note(route=getattr(scope.get("route"), "path", "unmatched"), status=status)


def _method(scope: Scope) -> str:
    """The method; one that is not HTTP's is a text of the client."""
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "_OTHER"
