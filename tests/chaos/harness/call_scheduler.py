"""Calls that a run makes later, and the replacement of workers that have ended."""

import heapq
import itertools
import time
from collections.abc import Callable

from tests.chaos.harness.workers import Workers

_TICK = 0.02
# A worker that has ended is collected later: that ends what is left of its group, which a run looks at before.
_COLLECT = 3.0


class CallScheduler:
    """Calls that are due at some time. Use it from the main thread: it starts workers."""

    def __init__(self, workers: Workers, report: Callable[[str], None] = lambda _line: None) -> None:
        self._workers = workers
        self._report = report
        self._calls: list[tuple[float, int, Callable[[], object]]] = []
        self._order = itertools.count()

    @property
    def is_empty(self) -> bool:
        """Whether no call is left."""
        return not self._calls

    def later(self, seconds: float, call: Callable[[], object]) -> None:
        """Make this call in so many seconds."""
        heapq.heappush(self._calls, (time.monotonic() + seconds, next(self._order), call))

    def turn(self) -> None:
        """Make the calls that are due and replace workers that have ended."""
        while self._calls and self._calls[0][0] <= time.monotonic():
            heapq.heappop(self._calls)[2]()
        for worker in list(self._workers.running):
            if worker.exit_code is not None:
                self._workers.running.remove(worker)
                successor = self._workers.start(wait=False)
                self._report(f"{worker.name} ended with {worker.exit_code}; {successor.name} takes its place")
                self.later(_COLLECT, worker.kill)
        time.sleep(_TICK)
