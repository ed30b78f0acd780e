"""The fork server of tests: what starts their workers, APIs and beats in a tenth of the CPU time."""

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from devstack import forked_process
from devstack.process import ChildProcess
from tests.waiting import TIMEOUT
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

    def astegni(self, arguments: Sequence[str], environment: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
        """How `astegni arguments…` ends, as a process of its own, and what it prints."""
        return self.run("astegni", "worker.cli", arguments, environment, timeout=TIMEOUT)


def start_process(
    name: str, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]
) -> ChildProcess:
    """The same without a fork server: an interpreter of its own."""
    return ChildProcess(name, [sys.executable, "-P", "-m", module, *arguments], log, env=environment)
