"""Around every request: its id, one log line, its metrics, and the response to an unexpected error."""

import logging
import re
import time
import uuid

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from worker.api.http.problem_response import problem_response
from worker.api.operations.metrics import Metrics
from worker.errors import AstegniError
from worker.logs import get_logger
from worker.tracing.crashes import report_crash

_log = get_logger(__name__)

REQUEST_ID = "X-Request-ID"
_REQUEST_ID_FORM = re.compile(r"[A-Za-z0-9._-]{1,64}")
# The status that nginx logs when the client disconnects before the response.
_CLIENT_GONE = 499
_QUIET = frozenset({"/healthz", "/readyz", "/metrics"})
# Method, route and status of a stored piece: a lesson being recorded sends one every two seconds, and the end of the
# upload is logged (`upload_finished`).
_PIECE_STORED = ("PATCH", "/v1/uploads/{upload_id}", 204)


class RequestLog:
    """ASGI middleware. A client's own `X-Request-ID` is used; the log has the route, never the query string."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        began = time.perf_counter()
        status, answered = _CLIENT_GONE, 0.0

        async def noted(message: Message) -> None:
            nonlocal status, answered
            if message["type"] == "http.response.start":
                status, answered = message["status"], time.perf_counter() - began
                MutableHeaders(scope=message)[REQUEST_ID] = request_id
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            # The last resort: whatever no handler has translated becomes a log line and a problem document.
            _log.exception("request_crashed", route=_route(scope), error=type(error).__name__)
            report_crash(error)
            if answered:
                raise  # too late for another response: the server closes the connection
            unexpected = AstegniError("Something unexpected happened; the worker's log tells more by this request_id.")
            await problem_response(scope, unexpected)(scope, receive, noted)
        finally:
            took = time.perf_counter() - began
            self._metrics.observe(scope["method"], _route(scope), status, answered or took)
            _write_line(scope, status, took)


def _write_line(scope: Scope, status: int, seconds: float) -> None:
    method, route = scope["method"], _route(scope)
    is_quiet = scope["path"] in _QUIET or (method, route, status) == _PIECE_STORED
    # Do not compose a line that will not be written.
    if is_quiet and not logging.getLogger(__name__).isEnabledFor(logging.DEBUG):
        return
    write = _log.debug if is_quiet else _log.info
    write("request", method=method, route=route, status=status, ms=round(seconds * 1000, 1))


def _route(scope: Scope) -> str:
    """The matching path template, like `/v1/jobs/{job_id}`; all unknown paths are `unmatched`."""
    return getattr(scope.get("route"), "path", "unmatched")


def _request_id(scope: Scope) -> str:
    request_id = Headers(scope=scope).get(REQUEST_ID, "")
    return request_id if _REQUEST_ID_FORM.fullmatch(request_id) else uuid.uuid4().hex
