"""JSON into Python's values, sooner than the standard library does it."""

import json
from typing import Any

from pydantic_core import from_json

from worker.canvases.stored.gc_paused import gc_paused


def parse_json(text: str | bytes) -> Any:
    """What `json.loads` gives, and raises: ValueError, RecursionError.

    A page is mostly numbers, and to read them takes a fifth of the time to draw it. pydantic's parser needs half of
    that, but gives up on halves of characters and on depth, which boards may hold: then Python's has the last word.
    """
    with gc_paused():
        try:
            return from_json(text)
        except ValueError:
            return json.loads(text)
