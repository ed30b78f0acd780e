"""Records the HTTP responses of services. apprise itself reports only success or failure, and logs the rest as prose.

Its plugins call the module `requests` through a global of their own module: that global is replaced by a wrapper.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from worker.channels.http_outcome import HttpOutcome

_METHODS = frozenset({"delete", "get", "patch", "post", "put", "request"})
# APIs respond with JSON, XML or plain text. An HTML page comes from something in between: a proxy, a bot challenge.
_PAGE = "text/html"

_responses: ContextVar[list[HttpOutcome] | None] = ContextVar("responses", default=None)


class _RecordingRequests:
    """The module `requests` as one plugin sees it: the same, with every response recorded."""

    def __init__(self, requests: Any) -> None:
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._requests, name)
        return partial(_note, function) if name in _METHODS else function


def record_responses_of(plugin: Any) -> None:
    """Wrap `requests` in the module of this plugin class, so that `recorded_responses` receives its responses."""
    module: Any = sys.modules[plugin.__module__]
    module.requests = _RecordingRequests(module.requests)


@contextmanager
def recorded_responses() -> Iterator[list[HttpOutcome]]:
    """Collect the responses of services to this thread within the block, in order; HTML pages are left out."""
    responses: list[HttpOutcome] = []
    token = _responses.set(responses)
    try:
        yield responses
    finally:
        _responses.reset(token)


def _note(send: Callable[..., Any], *args: Any, **options: Any) -> Any:
    response = send(*args, **options)
    responses = _responses.get()
    if responses is not None and not response.headers.get("Content-Type", "").lower().startswith(_PAGE):
        responses.append(HttpOutcome(response.status_code, response.headers.get("Retry-After")))
    return response
