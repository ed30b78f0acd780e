"""The B2 emulator as a process of its own, which says on standard output how to reach it."""

import os
import tempfile
from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, ValidationError

from worker.dev.emulator.credentials import Credentials
from worker.dev.environment import environment_without_settings
from worker.dev.process import ChildProcess, StartupFailed, wait_until
from worker.dev.service import astegni

_READY_TIMEOUT = 60.0  # measured: 1.5 s
_LINE_LIMIT = 65_536
_CREDENTIALS = TypeAdapter(Credentials)


class EmbeddedB2:
    """A B2 emulator on a free port of 127.0.0.1 with its objects and keys under `root`.

    What is already there, credentials included, is used again.
    """

    def __init__(self, root: Path, *, log: Path | None = None) -> None:
        self.root = root.absolute()
        self.log = log or self.root.with_suffix(".log")
        self.process: ChildProcess | None = None
        self._line = b""

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def credentials(self) -> Credentials:
        """The realm's URL, the master key and the bucket; raises StartupFailed when it said something else."""
        try:
            return _CREDENTIALS.validate_json(self._line)
        except ValidationError as error:
            # Not the line itself: it may hold the key.
            raise StartupFailed(f"The B2 emulator did not print its credentials as expected: {error.title}") from None

    def start(self) -> None:
        """Start the emulator and wait until it has said how to reach it; raises StartupFailed."""
        self.process = self._serve()

    def stop(self, timeout: float = 10.0) -> None:
        """Let it end. Again is harmless."""
        if self.process is not None:
            self.process.stop(timeout)
            self.process = None

    def _serve(self) -> ChildProcess:
        # Apart from the log, where a key has no business.
        with tempfile.TemporaryFile() as said:
            server = ChildProcess(
                "b2",
                astegni("b2", "serve", "--data", str(self.root), "--port", "0", "--json"),
                self.log,
                env=environment_without_settings(),
                stdout=said,
            )
            try:
                wait_until(lambda: b"\n" in os.pread(said.fileno(), _LINE_LIMIT, 0), server, _READY_TIMEOUT)
                self._line = os.pread(said.fileno(), _LINE_LIMIT, 0).partition(b"\n")[0]
                _ = self.credentials
            except BaseException:
                server.kill()
                raise
            return server
