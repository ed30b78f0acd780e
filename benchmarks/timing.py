"""Measure durations."""

import time
from collections.abc import Callable


def timed(do: Callable[[], int]) -> tuple[float, int]:
    """Seconds, and the number that `do` returned."""
    began = time.perf_counter()
    number = do()
    return time.perf_counter() - began, number
