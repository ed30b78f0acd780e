"""A span around every request, so that the jobs it orders are part of the same trace."""

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.tracing.spans import span

# Polled by machines, thousands of times.
_UNTRACED = frozenset({"/healthz", "/readyz", "/metrics"})


class RequestSpan:
    """ASGI middleware inside RequestLog, so that the request id is set.

    A client's `traceparent` is ignored: anybody could otherwise force sampling, or join our traces to others.
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
                # Known only after routing.
                note(route=getattr(scope.get("route"), "path", "unmatched"), status=status)


def _method(scope: Scope) -> str:
    """The method; `_OTHER` for an unknown one, which is arbitrary text of the client."""
    known = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
    return scope["method"] if scope["method"] in known else "_OTHER"
