"""Steps of one work that are done at the same time: all of them succeed, or the first failure stops the others."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from typing import Any, TypeVar

_MOST = 4

Result = TypeVar("Result")
ShouldStop = Callable[[], bool]


class TaskGroup:
    """What `together` gives its block: steps begin here, each in a thread of its own."""

    def __init__(self, pool: ThreadPoolExecutor, should_stop: ShouldStop) -> None:
        self.begun: list[Future[Any]] = []
        self._pool = pool
        self._should_stop = should_stop

    def begin(self, step: Callable[[ShouldStop], Result]) -> "Future[Result]":
        """Begin a step. It is given a `should_stop` to ask often; its result is there at the end of the block."""
        future = self._pool.submit(step, self._should_stop)
        self.begun.append(future)
        return future


@contextmanager
def together(should_stop: ShouldStop) -> Iterator[TaskGroup]:
    """A block that ends when every step begun in it has: with the error of the one that failed first, if one did.

    The others are told to stop then, and also when the block is left by an exception from outside, such as Celery's
    soft time limit; either way nothing runs on behind it. A program that a step starts dies with the thread that
    started it, so each step must wait for its own.
    """
    abandoned = threading.Event()
    with ThreadPoolExecutor(_MOST, "step") as pool:
        steps = TaskGroup(pool, lambda: should_stop() or abandoned.is_set())
        try:
            yield steps
            for step in as_completed(steps.begun):
                step.result()
        except BaseException:
            abandoned.set()
            raise
