"""Orders for tests, executed by a real worker. Celery loads this module by its name."""

import ctypes
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from worker.errors import InvalidInput, Unavailable
from worker.jobs.orders.order import Order
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import performs
from worker.workflows.context import WorkerContext


@dataclass(frozen=True)
class Work(Order):
    """What to do: `succeed`, `reject`, `crash`, `fail_once`, `sleep`, `hold`, `die` or `segfault`.

    `diary` gets a line for each start; `hold` runs as long as the file beside the diary is there.
    """

    kind: ClassVar[str] = "tests.work"
    max_attempts: ClassVar[int] = 3

    what: str
    diary: str
    seconds: float = 0.0
    where: str = "default"
    group: str | None = None
    size: int = 0

    @property
    def queue(self) -> str:
        return self.where

    @property
    def lane(self) -> str | None:
        return self.group

    @property
    def weight(self) -> int:
        return self.size


@performs(Work)
def work(run: JobRun, order: Work, context: WorkerContext) -> None:
    diary = Path(order.diary)
    before = len(diary.read_text().splitlines()) if diary.exists() else 0
    with diary.open("a") as file:
        file.write(f"{run.claim.attempt} {os.getpid()} {os.getppid()}\n")
    match order.what:
        case "reject":
            raise InvalidInput("This input cannot be processed.")
        case "crash":
            raise ZeroDivisionError("with a secret in it")
        case "fail_once" if before == 0:
            raise Unavailable("The resource is in use.")
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "segfault":
            ctypes.string_at(0)
        case "hold":
            while diary.with_suffix(".held").exists():
                run.check()
                time.sleep(0.02)
        case "sleep":
            end = time.monotonic() + order.seconds
            while time.monotonic() < end:
                run.check()
                run.progress(100 * (1 - (end - time.monotonic()) / order.seconds), "working")
                time.sleep(0.02)
    run.succeed({"rows": before + 1})
