"""Take a request's body piece by piece, never whole, and end well with a client whose upload is refused."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from worker.api.multipart import FormReader
from worker.errors import InvalidInput
from worker.uploads.spool import SpoolFile

# Few enough hand-overs to a thread, little enough memory for each upload.
_BATCH = 1 << 20
# Most clients read an answer only when they have sent their body. What is left of a refused one is read away, as far
# as that is cheap; then the connection is closed on it.
_DRAIN_BYTES = 256 << 20
_DRAIN_SECONDS = 10.0


async def receive_form(
    request: Request, room: AbstractAsyncContextManager[None], make_reader: Callable[[], FormReader]
) -> tuple[FormReader, SpoolFile]:
    """Read the form of `request`, in `room`, by the reader that `make_reader` makes; its file is then in the spool.

    Raises what the reader and `room` raise; nothing of a refused or broken upload stays behind.
    """
    stream = request.stream()
    reader: FormReader | None = None
    begun = False
    try:
        async with room:
            reader = await run_in_threadpool(make_reader)
            begun = True
            async for batch in _batches(stream):
                await run_in_threadpool(reader.feed, batch)
            return reader, await run_in_threadpool(reader.finish)
    except ClientDisconnect as error:
        raise InvalidInput("The client went away before the upload was complete.") from error
    except Exception:
        # Who asked before sending has sent nothing yet, and reading would be the invitation to begin.
        if begun or request.headers.get("expect", "").lower() != "100-continue":
            await _drain(stream)
        raise
    finally:
        if reader is not None:
            await run_in_threadpool(reader.discard)


async def _batches(stream: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    pieces: list[bytes] = []
    size = 0
    async for piece in stream:
        pieces.append(piece)
        size += len(piece)
        if size >= _BATCH:
            yield b"".join(pieces)
            pieces, size = [], 0
    if pieces:
        yield b"".join(pieces)


async def _drain(stream: AsyncIterator[bytes]) -> None:
    left = _DRAIN_BYTES
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for piece in stream:
                left -= len(piece)
                if left < 0:
                    return
    except (TimeoutError, ClientDisconnect):
        return
