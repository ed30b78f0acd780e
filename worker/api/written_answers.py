"""Answers that may be large: written into a file first, then sent from there.

So memory holds a small part of one, and a client that reads slowly holds a file and no transaction.
"""

import tempfile
from collections.abc import Callable
from typing import IO

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

# What is smaller stays in memory.
_IN_MEMORY = 1 << 20
_PIECE = 1 << 18


class WrittenAnswer(StreamingResponse):
    """The JSON in a file of so many bytes, which is closed however the sending ends."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        file.seek(0)
        pieces = iter(lambda: file.read(_PIECE), b"")
        super().__init__(pieces, media_type="application/json", headers={"Content-Length": str(size)})
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        with self.file:
            await super().__call__(scope, receive, send)


def written_answer(write: Callable[[IO[bytes]], None]) -> WrittenAnswer:
    """The answer that `write` writes, now. Raises what `write` raises."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the answer closes it
    try:
        write(file)
    except BaseException:
        file.close()
        raise
    return WrittenAnswer(file, file.tell())
