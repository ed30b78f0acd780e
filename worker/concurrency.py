"""Run the steps of a job concurrently: either all of them succeed, or the first failure stops the others."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar

_MOST = 4

Result = TypeVar("Result")
ShouldStop = Callable[[], bool]


class TaskGroup:
    """Starts the steps of a `together` block, each in its own thread."""

    def __init__(self, pool: ThreadPoolExecutor, should_stop: ShouldStop) -> None:
        self.begun: list[Future[Any]] = []
        self._pool = pool
        self._should_stop = should_stop

    def begin(self, step: Callable[[ShouldStop], Result]) -> "Future[Result]":
        """Start a step, which must call its `should_stop` often; its result is available at the end of the block."""
        # In the job's context: its log lines have the ids of the job and of the request.
        future = self._pool.submit(copy_context().run, step, self._should_stop)
        self.begun.append(future)
        return future


@contextmanager
def together(should_stop: ShouldStop) -> Iterator[TaskGroup]:
    """A block that ends when every step started in it has ended; raises the error of the first step that failed.

    The other steps are then asked to stop, as they are when an exception from outside leaves the block, such as
    Celery's soft time limit; in both cases no step outlives the block. A program that a step starts is killed when the
    thread that started it ends, so each step must wait for its own programs.
    """
    abandoned = threading.Event()
    with ThreadPoolExecutor(_MOST, "step") as pool:
        steps = TaskGroup(pool, lambda: should_stop() or abandoned.is_set())
        try:
            yield steps
            for step in as_completed(steps.begun):
                step.result()
        except BaseException:
            # An exception from outside may be of any class, KeyboardInterrupt included.
            abandoned.set()
            raise
