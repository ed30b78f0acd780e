"""Measure durations."""

import time
from collections.abc import Callable


def timed(do: Callable[[], int]) -> tuple[float, int]:
    """Call `do`; returns the seconds it took, and its result."""
    began = time.perf_counter()
    number = do()
    return time.perf_counter() - began, number
