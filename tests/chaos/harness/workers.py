"""Workers that are started, killed, stopped and started again."""

import itertools
import os
import signal
from pathlib import Path

import psutil

from devstack.process import ChildProcess, wait_until
from tests.chaos.harness.event_log import VARIABLE
from tests.forking.forked_process import Start, start_process
from tests.waiting import TIMEOUT
from worker.cli.local_stack.environment import environment_for
from worker.settings import Settings

ROOT = Path(__file__).parents[3]


class Workers:
    """Keeps track of the workers it starts. Use it from the main thread: they die with the thread that started them."""

    def __init__(
        self,
        settings: Settings,
        folder: Path,
        event_log: Path,
        *,
        soft_shutdown: float = 20.0,
        prefix: str = "",
        start: Start = start_process,
    ) -> None:
        self.running: list[ChildProcess] = []
        self._folder = folder
        self._prefix = prefix
        self._start = start
        self._numbers = itertools.count(1)
        self._signs: dict[int, Path] = {}
        self._environment = {
            **environment_for(settings),
            "PYTHONPATH": os.pathsep.join(filter(None, (str(ROOT), os.environ.get("PYTHONPATH")))),
            VARIABLE: str(event_log),
            "SOFT_SHUTDOWN": str(soft_shutdown),
        }

    def start(self, *, wait: bool = True, **environment: str) -> ChildProcess:
        """One more worker; with `wait`, return when it consumes."""
        name = f"{self._prefix}w{next(self._numbers)}"
        sign = self._folder / f"{name}.ready"
        environment = {**self._environment, "READY_FILE": str(sign), **environment}
        worker = self._start(name, "tests.chaos.harness.run_worker", [name], self._folder / f"{name}.log", environment)
        self._signs[worker.pid] = sign
        self.running.append(worker)
        if wait:
            wait_until(sign.exists, worker, TIMEOUT)
        return worker

    def ready(self, worker: ChildProcess) -> bool:
        """Whether it has begun to consume."""
        return self._signs[worker.pid].exists()

    def forget(self, worker: ChildProcess) -> int:
        """Collect what has ended; return how it ended."""
        self.running.remove(worker)
        return worker.kill()

    def close(self) -> None:
        """Kill everything at once: an orderly shutdown would wait for jobs whose result is not used any more."""
        for worker in self.running:
            worker.kill()
        self.running.clear()

    def log(self) -> str:
        """The last words of everybody."""
        return "\n".join(f"--- {worker.name}\n{worker.log_tail(40)}" for worker in self.running)


def children(main: int) -> list[int]:
    """Process ids of a worker's pool."""
    try:
        return [child.pid for child in psutil.Process(main).children()]
    except psutil.NoSuchProcess:
        return []


def alive(pid: int) -> bool:
    """Whether a process runs (a zombie does not)."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def continue_process(pid: int) -> None:
    """SIGCONT, when it is still there."""
    try:
        psutil.Process(pid).send_signal(signal.SIGCONT)
    except psutil.NoSuchProcess:
        return
