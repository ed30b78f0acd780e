"""Python's search for circles of garbage, put off while a page is read."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def gc_paused() -> Iterator[None]:
    """Look for no garbage inside.

    A page is a hundred thousand little lists and no circle among them, and each search goes through all of them: two
    fifths of the time to parse one, a twentieth of the time to draw it.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
