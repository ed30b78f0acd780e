"""One machine of an installation: its processes, its spool and its ports."""

import os
import signal
from collections.abc import Sequence
from contextlib import suppress
from typing import Literal

import psutil

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from devstack.supervisor import http_ready
from tests.chaos.harness.environment import Environment
from tests.chaos.harness.workers import Workers
from tests.waiting import TIMEOUT, wait_for
from worker.cli.local_stack.environment import environment_for

Kind = Literal["api", "beat", "worker"]


class Machine:
    """A machine called `name`, with a worker for each of `workers` (the queues it consumes).

    With `is_entry` it has an API and beat, too. Its processes must be started in the main thread.
    """

    def __init__(self, environment: Environment, name: str, workers: Sequence[str], *, is_entry: bool) -> None:
        self.name = name
        self.is_entry = is_entry
        self.folder = environment.folder / name
        self.folder.mkdir()
        changes = {"spool_id": name, "spool_dir": self.folder / "spool", "api_port": free_port()}
        self.settings = environment.settings.model_copy(update=changes)
        self._queues = workers
        self._start = environment.start
        self._workers = Workers(
            self.settings, self.folder, environment.event_log.path, prefix=f"{name}-", start=environment.start
        )
        self._services: dict[Kind, ChildProcess] = {}

    @property
    def address(self) -> str:
        """The address of its API."""
        return f"http://127.0.0.1:{self.settings.api_port}"

    def start(self) -> None:
        """Start all of its processes, and return when they work."""
        for queues in self._queues:
            self._workers.start(wait=False, QUEUES=queues)
        if self.is_entry:
            self._start_entry()
        wait_for(lambda: all(map(self._workers.ready, self._workers.running)), details=self._workers.log)

    def suspend(self) -> None:
        """Its workers keep what they hold, and do nothing any more."""
        for worker in self._workers.running:
            os.killpg(worker.pid, signal.SIGSTOP)

    def kill(self) -> None:
        """End all of its processes at once, as when its power fails."""
        self._workers.close()
        for service in self._services.values():
            service.kill()
        self._services.clear()

    def take_disk(self) -> None:
        """Nobody can read its spool from now on."""
        self.settings.spool_dir.rename(self.folder / "disk")

    def return_disk(self) -> None:
        """Its spool is back as it was."""
        (self.folder / "disk").rename(self.settings.spool_dir)

    def spooled(self) -> list[str]:
        """The files in its spool."""
        return [str(path) for path in self.settings.spool_dir.rglob("*") if path.is_file()]

    def processor_seconds(self) -> dict[Kind, float]:
        """Processor time that its running processes, and all programs that they ran, have used."""
        used: dict[Kind, float] = {kind: processor_seconds(service.pid) for kind, service in self._services.items()}
        return {**used, "worker": sum(processor_seconds(worker.pid) for worker in self._workers.running)}

    def _start_entry(self) -> None:
        sign = self.folder / "beat.ready"
        sign.unlink(missing_ok=True)
        variables = environment_for(self.settings)
        api = self._start("api", "worker.cli", ["api"], self.folder / "api.log", variables)
        beat = self._start(
            "beat", "worker.cli", ["beat"], self.folder / "beat.log", variables | {"READY_FILE": str(sign)}
        )
        self._services = {"api": api, "beat": beat}
        wait_until(http_ready("127.0.0.1", self.settings.api_port, "/healthz"), api, TIMEOUT)
        wait_until(sign.exists, beat, TIMEOUT)


def processor_seconds(main: int) -> float:
    """Processor time of a process and its descendants; of those that ended, if they were waited for."""
    total = 0.0
    with suppress(psutil.NoSuchProcess):
        process = psutil.Process(main)
        for each in (process, *process.children(recursive=True)):
            with suppress(psutil.NoSuchProcess):  # it has just ended
                times = each.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total
