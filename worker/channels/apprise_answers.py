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

_ASKING = frozenset({"delete", "get", "patch", "post", "put", "request"})
# APIs respond with JSON, XML or plain text. An HTML page comes from something in between: a proxy, a bot challenge.
_PAGE = "text/html"

_heard: ContextVar[list[HttpOutcome] | None] = ContextVar("heard", default=None)


class _Listening:
    """The module `requests` as one plugin sees it: the same, with every response recorded."""

    def __init__(self, requests: Any) -> None:
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._requests, name)
        return partial(_note, function) if name in _ASKING else function


def listen_to(plugin: Any) -> None:
    """Wrap `requests` in the module of this plugin class, so that `hearing` receives its responses."""
    module: Any = sys.modules[plugin.__module__]
    module.requests = _Listening(module.requests)


@contextmanager
def hearing() -> Iterator[list[HttpOutcome]]:
    """Collect the responses of services to this thread within the block, in order; HTML pages are left out."""
    answers: list[HttpOutcome] = []
    token = _heard.set(answers)
    try:
        yield answers
    finally:
        _heard.reset(token)


def _note(ask: Callable[..., Any], *args: Any, **options: Any) -> Any:
    response = ask(*args, **options)
    answers = _heard.get()
    if answers is not None and not response.headers.get("Content-Type", "").lower().startswith(_PAGE):
        answers.append(HttpOutcome(response.status_code, response.headers.get("Retry-After")))
    return response
