"""Servers of ours that say in one line on their standard output how to reach them."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Self

from worker.dev.environment import environment_without_settings
from worker.dev.process import ChildProcess, wait_until
from worker.dev.service import astegni

_READY_TIMEOUT = 60.0  # measured: 1.5 s
_LINE_LIMIT = 65_536


class IntroducedServer:
    """A server of ours as a process of its own with what it keeps under `root`; `line` is what it said of itself.

    A subclass names it and its `command`, without the folder. What is in the folder already is used again.
    """

    name: ClassVar[str]
    command: Sequence[str]

    def __init__(self, root: Path, *, log: Path | None = None) -> None:
        self.root = root.absolute()
        self.log = log or self.root.with_suffix(".log")
        self.process: ChildProcess | None = None
        self.line = b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Start it, knowing no setting, and wait until it has said how to reach it; raises StartupFailed."""
        command = astegni(*self.command, "--data", str(self.root), "--json")
        # Apart from the log: a line may hold a key, which has no business there.
        with tempfile.TemporaryFile() as said:
            server = ChildProcess(self.name, command, self.log, env=environment_without_settings(), stdout=said)
            try:
                wait_until(lambda: b"\n" in os.pread(said.fileno(), _LINE_LIMIT, 0), server, _READY_TIMEOUT)
                self.line = os.pread(said.fileno(), _LINE_LIMIT, 0).partition(b"\n")[0]
            except BaseException:
                server.kill()
                raise
        self.process = server

    def stop(self, timeout: float = 10.0) -> None:
        """Let it end. Again is harmless."""
        if self.process is not None:
            self.process.stop(timeout)
            self.process = None
