"""Processes from a fork server: what `ChildProcess` is, started in a tenth of the CPU time."""

import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from devstack.process import ChildProcess
from worker.app import TASK_MODULES
from worker.cli.local_stack.environment import environment_without_settings

_PROGRAM = Path(__file__).with_name("fork_server.py")
# What the API, a worker, beat and the command line import.
_MODULES = ("worker.cli.main", "worker.cli.processes", "worker.app", *TASK_MODULES, "worker.api.server", "celery.beat")

# name, module, arguments, log, environment
Start = Callable[[str, str, Sequence[str], Path, Mapping[str, str]], ChildProcess]


class ForkServer:
    """The server and the way to it. To be started in the main thread, as every `ChildProcess`."""

    def __init__(self, folder: Path) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = ChildProcess(
                "fork server",
                [sys.executable, "-P", _PROGRAM, str(theirs.fileno()), *_MODULES],
                folder / "fork-server.log",
                # Celery reads it while it is imported, and a worker needs it.
                env=environment_without_settings() | {"REMAP_SIGTERM": "SIGQUIT"},
                pass_fds=[theirs.fileno()],
            )
        self._stream = ours.makefile("rw")
        ours.close()
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()
        self._process.stop()

    def start(
        self, name: str, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> ChildProcess:
        """A process that runs `python -m module arguments…`."""
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch(mode=0o600)
        start = log.stat().st_size
        answer = self.ask(
            do="start",
            module=module,
            arguments=list(arguments),
            environment=dict(environment),
            directory=str(Path.cwd()),
            streams=[os.devnull, str(log), str(log)],
        )
        return ForkedProcess(self, name, log, start, answer["pid"])

    def ask(self, **request: Any) -> dict[str, Any]:
        """The response to one request; threads take turns."""
        with self._turn:
            self._stream.write(json.dumps(request) + "\n")
            self._stream.flush()
            line = self._stream.readline()
        assert line, f"the fork server has ended: {self._process.log_tail()}"
        return dict(json.loads(line))


class ForkedProcess(ChildProcess):
    """A process whose parent is the fork server, which has to be asked how it ended."""

    def __init__(self, server: ForkServer, name: str, log: Path, log_start: int, pid: int) -> None:
        self.name = name
        self.log = log
        self._log_start = log_start
        self._server = server
        self._pid = pid
        self._code: int | None = None

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def exit_code(self) -> int | None:
        if self._code is not None:
            return self._code
        code: int | None = self._server.ask(do="status", pid=self._pid)["code"]
        return code

    def kill(self) -> int:
        if self._code is None:
            os.killpg(self._pid, signal.SIGKILL)
            self._code = int(self._server.ask(do="collect", pid=self._pid)["code"])
        return self._code


def start_process(
    name: str, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]
) -> ChildProcess:
    """The same without a fork server: an interpreter of its own."""
    return ChildProcess(name, [sys.executable, "-P", "-m", module, *arguments], log, env=environment)
