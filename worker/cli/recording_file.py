"""The file that is uploaded: opened without blocking, and read with every fault reported as a sentence."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Self

from worker.errors import InvalidInput

_PIECE = 1 << 16


class UnreadableFile(InvalidInput):
    """The file cannot be uploaded; `detail` says why."""

    code, title = "unreadable-file", "The file cannot be read"


class RecordingFile:
    """A regular file with the length it had when it was opened. `on_read` receives the size of each piece in bytes.

    Raises UnreadableFile when it is not a regular file, and whenever it cannot be read.
    """

    def __init__(self, path: Path, on_read: Callable[[int], None] = lambda _count: None) -> None:
        self.name = path.name
        self._path = path
        self._on_read = on_read
        try:
            # A plain open of a pipe without a writer would block forever.
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except OSError as error:
            raise self._fault(error) from error
        state = os.fstat(descriptor)
        if not stat.S_ISREG(state.st_mode):
            os.close(descriptor)
            kind = "a directory" if stat.S_ISDIR(state.st_mode) else "a pipe, a socket or a device"
            raise UnreadableFile(f"{path} is {kind}. Name the file that the recorder made.")
        self.size = state.st_size
        self._file = os.fdopen(descriptor, "rb", buffering=0)
        try:
            self._file.read(1)
            self._file.seek(0)
        except OSError as error:
            self._file.close()
            raise self._fault(error) from error

    def read(self, size: int = -1) -> bytes:
        """The next bytes, never beyond the announced length: the file may still grow."""
        left = self.size - self._file.tell()
        count = left if size < 0 else min(size, left)
        try:
            piece = self._file.read(count) or b""
        except OSError as error:
            raise self._fault(error) from error
        if not piece and count:
            raise UnreadableFile(f"{self._path} became shorter while it was read. Upload it when it is finished.")
        self._on_read(len(piece))
        return piece

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.read(_PIECE):
            yield piece

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to this offset; the end is that of the time of opening."""
        if whence == os.SEEK_END:
            return self._file.seek(self.size + offset)
        return self._file.seek(offset, whence)

    def tell(self) -> int:
        """The offset of the next byte."""
        return self._file.tell()

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _fault(self, error: OSError) -> UnreadableFile:
        return UnreadableFile(f"{self._path} cannot be read: {error.strerror or error}.")
