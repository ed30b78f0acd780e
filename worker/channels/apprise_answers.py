"""What a service answered. apprise tells no more of it than whether it was good, in words that change.

Its plugins ask by the functions of the module `requests`, which each names in its own module: there we listen.
"""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from typing import Any

from worker.channels.http_outcome import HttpOutcome

_ASKING = frozenset({"delete", "get", "patch", "post", "put", "request"})
# An API answers in JSON, XML or a word. A page for people is of somebody in between: a proxy, a wall against robots.
_PAGE = "text/html"

_heard: ContextVar[list[HttpOutcome] | None] = ContextVar("heard", default=None)


class _Listening:
    """The module `requests` as one plugin sees it: the same, but what is answered is noted."""

    def __init__(self, requests: Any) -> None:
        self._requests = requests

    def __getattr__(self, name: str) -> Any:
        function = getattr(self._requests, name)
        return partial(_note, function) if name in _ASKING else function


def listen_to(plugin: Any) -> None:
    """From now on `hearing` hears what a class of apprise's is answered."""
    module: Any = sys.modules[plugin.__module__]
    module.requests = _Listening(module.requests)


@contextmanager
def hearing() -> Iterator[list[HttpOutcome]]:
    """The answers that services give to this thread within the block, in their order; pages for people are none."""
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
