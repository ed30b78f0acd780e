"""Servers of this package as child processes, each of which prints one line that says how to reach it."""

import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from devstack.process import ChildProcess, wait_until

_READY_TIMEOUT = 60.0  # measured: 1.5 s
_LINE_LIMIT = 65_536
# Nothing else is inherited: the environment of whoever starts it may hold secrets.
_INHERITED = ("HOME", "LANG", "LC_ALL", "LD_LIBRARY_PATH", "PATH", "PYTHONPATH", "TMPDIR", "TZ")


class SelfAnnouncingServer:
    """A server of this package as a child process with its data under `root`; `line` is what it printed.

    A subclass defines its name and `module`. Existing data in `root` is reused.
    """

    name: ClassVar[str]
    module: ClassVar[str]

    def __init__(self, root: Path, *, log: Path | None = None, arguments: Sequence[str] = ()) -> None:
        self.root = root.absolute()
        self.log = log or self.root.with_suffix(".log")
        self.process: ChildProcess | None = None
        self.line = b""
        self._arguments = arguments

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it and wait until it has printed its line; raises StartupFailed."""
        # -P keeps a folder `devstack` of the current directory out.
        command = [sys.executable, "-P", "-m", self.module, *self._arguments, "--data", str(self.root), "--json"]
        # Not in the log: the line may hold a key, which does not belong there.
        with tempfile.TemporaryFile() as output:
            server = ChildProcess(self.name, command, self.log, env=_environment(), stdout=output)
            try:
                wait_until(lambda: b"\n" in os.pread(output.fileno(), _LINE_LIMIT, 0), server, _READY_TIMEOUT)
                self.line = os.pread(output.fileno(), _LINE_LIMIT, 0).partition(b"\n")[0]
            except BaseException:
                server.kill()
                raise
        self.process = server

    def stop(self, timeout: float = 10.0) -> None:
        """Ask it to end and wait; does nothing when it is not running."""
        if self.process is not None:
            self.process.stop(timeout)
            self.process = None


def _environment() -> dict[str, str]:
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    # Its output must be in its log even if it is killed.
    return inherited | {"PYTHONUNBUFFERED": "1"}
