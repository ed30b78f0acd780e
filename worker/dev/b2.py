"""The B2 emulator as a process of its own, which says on standard output how to reach it."""

from pathlib import Path
from typing import Self

from pydantic import TypeAdapter, ValidationError

from worker.dev.emulator.credentials import Credentials
from worker.dev.introduction import introduced
from worker.dev.process import ChildProcess, StartupFailed
from worker.dev.service import astegni

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
        command = astegni("b2", "serve", "--data", str(self.root), "--port", "0", "--json")
        self.process, self._line = introduced("b2", command, self.log)
        try:
            _ = self.credentials
        except StartupFailed:
            self.stop()
            raise

    def stop(self, timeout: float = 10.0) -> None:
        """Let it end. Again is harmless."""
        if self.process is not None:
            self.process.stop(timeout)
            self.process = None
