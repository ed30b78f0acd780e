"""Measure durations and processor time."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import psutil


@dataclass(frozen=True)
class Cost:
    """Seconds on the clock, and of the processor: of this process and of those it has waited for."""

    wall: float
    processor: float


def cost_of(do: Callable[[], object]) -> Cost:
    """Call `do`; returns what it cost."""
    processor, wall = processor_seconds(), time.perf_counter()
    do()
    return Cost(time.perf_counter() - wall, processor_seconds() - processor)


def processor_seconds() -> float:
    """The processor time of this process and of those it has waited for, so far."""
    times = psutil.Process().cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def timed(do: Callable[[], int]) -> tuple[float, int]:
    """Call `do`; returns the seconds it took, and its result."""
    began = time.perf_counter()
    number = do()
    return time.perf_counter() - began, number
