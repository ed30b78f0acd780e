"""The mailbox as a process of its own."""

from pathlib import Path
from typing import Self

from pydantic import TypeAdapter

from worker.dev.introduction import introduced
from worker.dev.mailbox.addresses import Addresses
from worker.dev.process import ChildProcess
from worker.dev.service import astegni

_ADDRESSES = TypeAdapter(Addresses)


class EmbeddedMailbox:
    """A mailbox on free ports of 127.0.0.1 with its mail under `root`; what is already there stays."""

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
    def addresses(self) -> Addresses:
        """Where it takes mail and shows it."""
        return _ADDRESSES.validate_json(self._line)

    def start(self) -> None:
        """Start the mailbox and wait until it has said where it is; raises StartupFailed."""
        command = astegni("mailbox", "serve", "--data", str(self.root), "--json")
        self.process, self._line = introduced("mailbox", command, self.log)

    def stop(self, timeout: float = 10.0) -> None:
        """Let it end. Again is harmless."""
        if self.process is not None:
            self.process.stop(timeout)
            self.process = None
