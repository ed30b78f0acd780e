"""Measure durations and processor time."""

import resource
import time
from collections.abc import Callable
from contextlib import suppress
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
    """The processor time of this process and of those it has waited for, so far.

    Exact to a microsecond; /proc, which psutil reads, counts hundredths of a second.
    """
    usages = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(usage.ru_utime + usage.ru_stime for usage in usages)


def family_processor_seconds() -> float:
    """CPU time so far of this process and of all below it: servers, workers. Of ended ones only if waited for."""
    own = psutil.Process()
    total = 0.0
    for process in (own, *own.children(recursive=True)):
        with suppress(psutil.NoSuchProcess):  # a backend of a connection that was closed just now
            times = process.cpu_times()
            total += times.user + times.system + times.children_user + times.children_system
    return total


def timed(do: Callable[[], int]) -> tuple[float, int]:
    """Call `do`; returns the seconds it took, and its result."""
    began = time.perf_counter()
    number = do()
    return time.perf_counter() - began, number
