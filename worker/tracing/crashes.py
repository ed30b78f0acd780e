"""Reports of unexpected errors: only types and code locations, never messages, values or requests."""

import traceback
from collections.abc import Iterator
from typing import Any, Protocol

from structlog.contextvars import get_contextvars

from worker.tracing.spans import ATTRIBUTES

_MAX_FRAMES = 100


class CrashReporter(Protocol):
    """Where crashes are reported."""

    def send(self, event: dict[str, Any]) -> None:
        """Send an event in Sentry's form; returns at once."""


# Global to the process, like its log.
_target: list[CrashReporter] = []


def report_to(reporter: CrashReporter | None) -> None:
    """Report this process's crashes there from now on; None: nowhere."""
    _target[:] = [] if reporter is None else [reporter]


def report_crash(error: BaseException) -> None:
    """Report an unexpected error, with the ids of the current request and job."""
    for reporter in _target:
        reporter.send(_event_of(error))


def _event_of(error: BaseException) -> dict[str, Any]:
    known = get_contextvars()
    tags = {ATTRIBUTES[name]: str(known[name]) for name in ("job_id", "kind", "request_id") if known.get(name)}
    # Sentry shows the last exception first.
    return {"level": "error", "exception": {"values": list(_chain(error))[::-1]}, "tags": tags}


def _chain(error: BaseException) -> Iterator[dict[str, Any]]:
    """The error and its causes. Messages are left out: they may repeat what people wrote (worker/logs.py)."""
    current: BaseException | None = error
    seen: set[int] = set()
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        frames = traceback.extract_tb(current.__traceback__)[-_MAX_FRAMES:]
        yield {
            "type": type(current).__qualname__,
            "module": type(current).__module__,
            "stacktrace": {
                "frames": [
                    {"filename": frame.filename, "function": frame.name, "lineno": frame.lineno} for frame in frames
                ]
            },
        }
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)
