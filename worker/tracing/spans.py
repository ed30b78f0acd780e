"""What the code of a process records while it works: spans, which cost nothing until its entry point says where to."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any, Protocol

from structlog.contextvars import get_contextvars

Value = str | int | float
# Adds attributes to the span that is open.
Note = Callable[..., None]

# Every attribute of a span. All else is refused: names, titles, tokens and parameters of SQL must not leave.
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
        """A span around a block: child of the `parent` (a traceparent), or else of the span that is open."""

    def past(self, name: str, values: dict[str, Value], parent: str | None, seconds: float) -> None:
        """A span that ends now and began so many seconds ago."""

    def traceparent(self) -> str | None:
        """The open span as W3C's traceparent; None without one."""


def _ignore(**_values: Value | None) -> None:
    return None


_NOTHING: AbstractContextManager[Note] = nullcontext(_ignore)
# One for each process, like its log.
_target: list[Tracer] = []


def trace_to(tracer: Tracer | None) -> None:
    """From now on this process's spans go there; None: nowhere."""
    _target[:] = [] if tracer is None else [tracer]


def span(name: str, *, parent: str | None = None, **values: Value | None) -> AbstractContextManager[Note]:
    """A span around a block, with `values` (see ATTRIBUTES) and the ids of the current request and job.

    The block gets a function that adds values. An error that leaves it is recorded by its type alone.
    """
    for tracer in _target:
        return tracer.span(name, attributes(_bound() | values), parent)
    return _NOTHING


def record_past(name: str, seconds: float, *, parent: str | None = None, **values: Value | None) -> None:
    """A span of something that is over: it ends now and began so many seconds ago."""
    for tracer in _target:
        tracer.past(name, attributes(_bound() | values), parent, seconds)


def current_traceparent() -> str | None:
    """The open span, to be stored with what is ordered; None without one."""
    for tracer in _target:
        return tracer.traceparent()
    return None


def attributes(values: dict[str, Any]) -> dict[str, Value]:
    """The values by their attributes' names, without those that are None. Raises KeyError for an unknown one."""
    return {ATTRIBUTES[name]: value for name, value in values.items() if value is not None}


def _bound() -> dict[str, Any]:
    known = get_contextvars()
    return {name: known[name] for name in _BOUND if name in known}
