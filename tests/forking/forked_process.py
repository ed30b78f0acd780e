"""The fork server of tests: what starts their workers, APIs and beats in a tenth of the CPU time."""

import os
import secrets
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devstack import forked_process
from devstack.process import ChildProcess
from tests.waiting import PATIENCE
from worker.app import TASK_MODULES
from worker.cli.local_stack.environment import environment_without_settings

# What the API, a worker, beat and the command line import.
_MODULES = ("worker.cli.main", "worker.cli.processes", "worker.app", *TASK_MODULES, "worker.api.server", "celery.beat")

# name, module, arguments, log, environment
Start = Callable[[str, str, Sequence[str], Path, Mapping[str, str]], ChildProcess]


class ForkServer(forked_process.ForkServer):
    """A fork server with the modules of the product."""

    def __init__(self, folder: Path) -> None:
        # Celery reads the variable while it is imported, and a worker needs it.
        environment = environment_without_settings() | {"REMAP_SIGTERM": "SIGQUIT"}
        super().__init__(folder / "fork-server.log", _MODULES, environment)
        self._folder = folder

    def astegni(self, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """How `astegni arguments…` ends, as a process of its own, and what it prints."""
        output, errors = (self._folder / f"{secrets.token_hex(8)}-{stream}" for stream in ("output", "errors"))
        response = self.ask(
            do="start",
            name="astegni",
            module="worker.cli",
            arguments=list(arguments),
            environment=dict(environment),
            directory=str(self._folder),
            streams=[os.devnull, str(output), str(errors)],
        )
        end = os.pidfd_open(response["pid"])
        try:
            assert select.select([end], [], [], PATIENCE)[0], f"astegni {arguments} does not end"
        finally:
            os.close(end)
            os.killpg(response["pid"], signal.SIGKILL)
            code = self.ask(do="collect", pid=response["pid"])["code"]
        return subprocess.CompletedProcess(arguments, code, output.read_text(), errors.read_text())


def start_process(
    name: str, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]
) -> ChildProcess:
    """The same without a fork server: an interpreter of its own."""
    return ChildProcess(name, [sys.executable, "-P", "-m", module, *arguments], log, env=environment)
