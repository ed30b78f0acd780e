"""Responses that may be large: written to a temporary file first, then sent from it.

Only a small part of one is in memory, and a slow client keeps a file open but no transaction.
"""

import tempfile
from collections.abc import Callable
from typing import IO

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

# Smaller responses stay in memory.
_IN_MEMORY = 1 << 20
_PIECE = 1 << 18


class FileBackedResponse(StreamingResponse):
    """The JSON in a file of `size` bytes, which is closed however sending ends."""

    def __init__(self, file: IO[bytes], size: int) -> None:
        file.seek(0)
        pieces = iter(lambda: file.read(_PIECE), b"")
        super().__init__(pieces, media_type="application/json", headers={"Content-Length": str(size)})
        self.file = file

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file and close it."""
        with self.file:
            await super().__call__(scope, receive, send)


def file_backed_response(write: Callable[[IO[bytes]], None]) -> FileBackedResponse:
    """Call `write` now and return the response that it wrote. Raises the errors of `write`."""
    file = tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY)  # noqa: SIM115 - the response closes it
    try:
        write(file)
    except BaseException:
        # Nothing else refers to the file and would close it.
        file.close()
        raise
    return FileBackedResponse(file, file.tell())
