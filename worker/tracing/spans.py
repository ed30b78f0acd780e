"""Spans of a process's work, which cost nothing until its entry point calls `trace_to`."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from structlog.contextvars import get_contextvars

Value = str | int | float
# Adds attributes to the span that is open.
Note = Callable[..., None]

# Every attribute of a span. Anything else is rejected: names, titles, tokens and SQL parameters must not leave.
ATTRIBUTES = {
    "job_id": "astegni.job.id",
    "kind": "astegni.job.kind",
    "attempt": "astegni.job.attempt",
    "subject": "astegni.job.subject",
    "outcome": "astegni.job.outcome",
    "request_id": "astegni.request.id",
    "method": "http.request.method",
    "route": "http.route",
    "status": "http.response.status_code",
    "program": "process.executable.name",
    "exit_code": "process.exit.code",
    "operation": "astegni.storage.operation",
    "error": "error.type",
}
# Bound to the log lines of a request or a job (worker/logs.py), and so to its spans.
_BOUND = ("job_id", "kind", "request_id")


class Tracer(Protocol):
    """Where spans go."""

    def span(self, name: str, values: dict[str, Value], parent: str | None) -> AbstractContextManager[Note]:
        """A span around a block: a child of `parent` (a traceparent), or else of the open span."""

    def past(self, name: str, values: dict[str, Value], parent: str | None, seconds: float) -> None:
        """A span that ends now and began `seconds` ago."""

    def traceparent(self) -> str | None:
        """The open span as a W3C traceparent, or None."""


def _ignore(**_values: Value | None) -> None:
    return None


_NO_SPAN: AbstractContextManager[Note] = nullcontext(_ignore)
# Global to the process, like its log.
_target: list[Tracer] = []


def trace_to(tracer: Tracer | None) -> None:
    """Send this process's spans there from now on; None: nowhere."""
    _target[:] = [] if tracer is None else [tracer]


def span(name: str, *, parent: str | None = None, **values: Value | None) -> AbstractContextManager[Note]:
    """A span around a block, with `values` (see ATTRIBUTES) and the ids of the current request and job.

    The block gets a function that adds values. An error that leaves it is recorded by its type alone.
    """
    for tracer in _target:
        return tracer.span(name, attributes(_bound() | values), parent)
    return _NO_SPAN


def record_past(name: str, seconds: float, *, parent: str | None = None, **values: Value | None) -> None:
    """Record a span for something in the past: it ends now and began `seconds` ago."""
    for tracer in _target:
        tracer.past(name, attributes(_bound() | values), parent, seconds)


def current_traceparent() -> str | None:
    """The open span, to be stored with an order; None without one."""
    for tracer in _target:
        return tracer.traceparent()
    return None


def attributes(values: dict[str, Any]) -> dict[str, Value]:
    """The values by attribute name, without those that are None. Raises KeyError for an unknown one."""
    return {ATTRIBUTES[name]: value for name, value in values.items() if value is not None}


def _bound() -> dict[str, Any]:
    known = get_contextvars()
    return {name: known[name] for name in _BOUND if name in known}
