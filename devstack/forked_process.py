"""Processes of a Python program, forked from one that has imported it: they start in a tenth of the CPU time."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Self

from devstack.directories import scratch_directory
from devstack.errors import DevstackError
from devstack.process import ChildProcess

_PROGRAM = Path(__file__).with_name("fork_server.py")


class ForkServerLost(DevstackError):
    """The fork server has ended, and with it every process that it started."""


class ForkServer:
    """A process that has imported `modules`, in `environment`, and forks on request. It starts in the background.

    Like every `ChildProcess` it must be started in the main thread; its forks end with it.
    """

    def __init__(self, log: Path, modules: Sequence[str], environment: Mapping[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = ChildProcess(
                "fork server",
                [sys.executable, "-P", _PROGRAM, str(theirs.fileno()), *modules],
                log,
                env=environment,
                pass_fds=[theirs.fileno()],
            )
        self._stream = ours.makefile("rw")
        ours.close()
        self._turn = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):  # a request that the lost server has not read
            self._stream.close()
        self.process.stop()

    def start(
        self, name: str, module: str, arguments: Sequence[str], log: Path, environment: Mapping[str, str]
    ) -> ChildProcess:
        """A process that runs `python -m module arguments…`, with its output appended to `log`.

        The first one waits until the modules are imported. Raises ForkServerLost.
        """
        log.parent.mkdir(parents=True, exist_ok=True)
        log.touch(mode=0o600)
        log_start = log.stat().st_size
        response = self.ask(
            do="start",
            name=name,
            module=module,
            arguments=list(arguments),
            environment=dict(environment),
            directory=str(Path.cwd()),
            streams=[os.devnull, str(log.absolute()), str(log.absolute())],
        )
        return ForkedProcess(self, name, log, log_start, response["pid"])

    def run(
        self, name: str, module: str, arguments: Sequence[str], environment: Mapping[str, str], *, timeout: float
    ) -> subprocess.CompletedProcess[str]:
        """Run `python -m module arguments…` for at most `timeout` seconds; returns its exit code and output.

        Raises ForkServerLost.
        """
        with scratch_directory() as folder:
            output, errors = folder / "output", folder / "errors"
            response = self.ask(
                do="start",
                name=name,
                module=module,
                arguments=list(arguments),
                environment=dict(environment),
                directory=str(folder),
                streams=[os.devnull, str(output), str(errors)],
            )
            process = ForkedProcess(self, name, errors, 0, response["pid"])
            process.wait(timeout)
            return subprocess.CompletedProcess(arguments, process.kill(), output.read_text(), errors.read_text())

    def ask(self, **request: Any) -> dict[str, Any]:
        """The response to one request of fork_server.py; threads take turns. Raises ForkServerLost."""
        with self._turn:
            try:
                self._stream.write(json.dumps(request) + "\n")
                self._stream.flush()
                line = self._stream.readline()
            except OSError:
                line = ""
        if not line:
            raise ForkServerLost(f"The fork server has ended. {self.process.log} ends with:\n{self.process.log_tail()}")
        return dict(json.loads(line))


class ForkedProcess(ChildProcess):
    """A process whose parent is the fork server, which must be asked how it ended."""

    def __init__(self, server: ForkServer, name: str, log: Path, log_start: int, pid: int) -> None:
        self.name = name
        self.log = log
        self._log_start = log_start
        self._server = server
        self._pid = pid
        self._code: int | None = None

    @property
    def pid(self) -> int:
        """Process id, also of its group; not reused before `stop` or `kill`."""
        return self._pid

    @property
    def exit_code(self) -> int | None:
        """None while it runs; then its exit status, or minus the signal that ended it."""
        if self._code is not None:
            return self._code
        code: int | None = self._ask("status")
        return code

    def kill(self) -> int:
        """Kill the process and the rest of its group; returns the exit code."""
        if self._code is None:
            # Safe: the group id cannot be reused until the fork server collects the process.
            if self._server.process.exit_code is None:
                os.killpg(self._pid, signal.SIGKILL)
            self._code = self._ask("collect") or 0
        return self._code

    def _ask(self, what: str) -> int | None:
        """What the fork server knows about its end; the kernel kills it when the server ends."""
        try:
            code: int | None = self._server.ask(do=what, pid=self._pid)["code"]
        except ForkServerLost:
            return -signal.SIGKILL
        return code
