"""Parses the JSON of boards at twice the speed of json.loads, with the garbage collector paused."""

import gc
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pydantic_core import from_json

from worker.errors import InvalidInput

# Bytes: a day of drawing. Parsed, it takes ten times as much memory.
LARGEST_FILE = 200_000_000


def parse_json(text: str | bytes) -> Any:
    """What `json.loads` returns and raises: ValueError, RecursionError.

    A page is mostly numbers; parsing them takes a fifth of the time to draw it. pydantic's parser needs half of that,
    but refuses lone surrogates and deep nesting, which boards may contain: then the standard library parses the text.
    """
    with gc_paused():
        try:
            return from_json(text)
        except ValueError:
            return json.loads(text)


@contextmanager
def gc_paused() -> Iterator[None]:
    """Pause the cyclic garbage collector.

    A page is a hundred thousand small lists without a cycle, and each collection traverses all of them: two fifths of
    the time to parse a page, a twentieth of the time to draw it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def read_document(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises InvalidInput when the file is missing, too large or not a board."""
    try:
        size = path.stat().st_size
        if size > LARGEST_FILE:
            raise InvalidInput(f"{path} has {size} bytes; at most {LARGEST_FILE} are read.")
        document = parse_json(path.read_bytes())
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror or error}.") from error
    except RecursionError as error:
        raise InvalidInput(f"{path} is nested too deep to be a board.") from error
    except ValueError as error:  # not JSON, not UTF-8, or a number of thousands of digits
        raise InvalidInput(f"{path} is not JSON: {error}.") from error
    if not isinstance(document, dict) or not isinstance(document.get("pages", document.get("strokes")), list):
        raise InvalidInput(f"{path} is no board: it needs an object with `strokes` or `pages`.")
    return document
