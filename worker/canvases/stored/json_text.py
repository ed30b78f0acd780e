"""JSON into Python's values, sooner than the standard library does it."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pydantic_core import from_json


def parse_json(text: str | bytes) -> Any:
    """What `json.loads` gives, and raises: ValueError, RecursionError.

    A page is mostly numbers, and to read them takes a fifth of the time to draw it. pydantic's parser needs half of
    that, but gives up on halves of characters and on depth, which boards may hold: then Python's has the last word.
    """
    with _nothing_collected():
        try:
            return from_json(text)
        except ValueError:
            return json.loads(text)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """Python's search for circles takes two fifths of the time to read a page, and in JSON there are none."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
