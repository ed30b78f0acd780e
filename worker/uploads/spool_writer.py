"""Receive a file into the spool: complete under its name, or absent."""

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self

from worker.errors import TooLarge
from worker.uploads.private_files import create_private, report_full_disk, sync_folder

PART = ".part"
# How many bytes may be received between two checks of the free space.
_LOOK_EVERY = 16_000_000


@dataclass(frozen=True)
class SpoolFile:
    """A complete file of the spool: its name, size in bytes and SHA-1 (lower-case hex)."""

    name: str
    size: int
    sha1: str


class SpoolWriter:
    """A file being received: `write` its bytes in order, then `seal` it. Leaving the block unsealed discards it."""

    def __init__(self, target: Path, limit: int, require_space: Callable[[int], None]) -> None:
        self._target = target
        self._limit = limit
        self._require_space = require_space
        self._digest = hashlib.sha1(usedforsecurity=False)
        self._size = 0
        self._looked_at = 0
        self._part = target.with_name(target.name + PART)
        with report_full_disk():
            self._file: BinaryIO = os.fdopen(create_private(self._part), "wb", buffering=0)

    @property
    def size(self) -> int:
        """Bytes received so far."""
        return self._size

    def write(self, chunk: bytes) -> None:
        """Append the next bytes. Raises TooLarge beyond the limit, OutOfSpace when the disk is full."""
        self._size += len(chunk)
        if self._size > self._limit:
            raise TooLarge(f"The file is larger than {self._limit} bytes, the most that is taken.")
        if self._size - self._looked_at > _LOOK_EVERY:
            self._looked_at = self._size
            self._require_space(0)
        self._digest.update(chunk)
        with report_full_disk():
            view = memoryview(chunk)
            while view:
                view = view[self._file.write(view) :]

    def seal(self) -> SpoolFile:
        """Rename the file to its final name, with every byte flushed to the disk."""
        with report_full_disk():
            os.fsync(self._file.fileno())
            self._file.close()
            self._part.rename(self._target)
            sync_folder(self._target.parent)
        return SpoolFile(self._target.name, self._size, self._digest.hexdigest())

    def discard(self) -> None:
        """Delete what was received."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.discard()
