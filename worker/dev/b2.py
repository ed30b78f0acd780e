"""The B2 emulator as a process of its own, which says on standard output how to reach it."""

from pathlib import Path
from typing import ClassVar

from pydantic import TypeAdapter, ValidationError

from worker.dev.emulator.credentials import Credentials
from worker.dev.process import StartupFailed
from worker.dev.self_announcing_server import IntroducedServer

_CREDENTIALS = TypeAdapter(Credentials)


class EmbeddedB2(IntroducedServer):
    """A B2 emulator on a port of 127.0.0.1 (0: a free one) with its objects and keys under `root`.

    What is already there, credentials included, is used again.
    """

    name: ClassVar = "b2"

    def __init__(self, root: Path, *, log: Path | None = None, port: int = 0) -> None:
        super().__init__(root, log=log)
        self.command = ("b2", "serve", "--port", str(port))

    @property
    def credentials(self) -> Credentials:
        """The realm's URL, the master key and the bucket; raises StartupFailed when it said something else."""
        try:
            return _CREDENTIALS.validate_json(self.line)
        except ValidationError as error:
            # Not the line itself: it may hold the key.
            raise StartupFailed(f"The B2 emulator did not print its credentials as expected: {error.title}") from None

    def start(self) -> None:
        """Start the emulator and wait until it has said how to reach it; raises StartupFailed."""
        super().start()
        try:
            _ = self.credentials
        except StartupFailed:
            self.stop()
            raise
