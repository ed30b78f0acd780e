"""Writes a program's stdin without blocking, in pieces that are made while the program reads."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import suppress
from typing import IO

_PIPE_BYTES = 1024 * 1024


class StdinFeeder:
    """Writes into the program's stdin whatever fits, and never waits."""

    def __init__(self, pipe: IO[bytes], pieces: Iterator[bytes | memoryview]) -> None:
        self.pipe = pipe
        self._pieces = pieces
        self._left = memoryview(b"")
        os.set_blocking(pipe.fileno(), False)
        if hasattr(fcntl, "F_SETPIPE_SZ"):
            # A picture of 1.4 MB would go through Linux's usual 64 KB in twenty turns. The system may allow no more.
            with suppress(OSError):
                fcntl.fcntl(pipe.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)

    def feed(self) -> bool:
        """Write what fits; False when all is written, or the program reads no more (its status will tell why)."""
        if not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return False
            self._left = memoryview(piece)
        try:
            self._left = self._left[os.write(self.pipe.fileno(), self._left) :]
        except BlockingIOError:
            pass
        except BrokenPipeError:
            return False
        return True
