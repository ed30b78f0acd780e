"""Read a request's body piece by piece, never as a whole, and make sure that a refused client can read the response."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from worker.api.uploads.multipart import FormReader
from worker.errors import InvalidInput
from worker.uploads.spool_writer import SpoolFile

# Large enough for few switches to a thread, small enough to bound the memory of each upload.
_BATCH = 1 << 20
# Most clients read the response only after they have sent their body. The rest of a refused body is read and discarded
# up to these limits; then the connection is closed.
_DRAIN_BYTES = 256 << 20
_DRAIN_SECONDS = 10.0


async def receive_form(
    request: Request, room: AbstractAsyncContextManager[None], make_reader: Callable[[], FormReader]
) -> tuple[FormReader, SpoolFile]:
    """Parse the form of `request` with the reader of `make_reader`; its file is then in the spool.

    `room` is held meanwhile: it counts the upload against the limits of its sender. Raises the errors of the reader and
    of `room`; nothing of a refused or interrupted upload is kept.
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
        # After any error: a client that sends its whole body first would otherwise never see the response.
        # One that expects 100-continue has sent nothing yet, and reading would tell it to start.
        if begun or request.headers.get("expect", "").lower() != "100-continue":
            await drain(stream)
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


async def drain(stream: AsyncIterator[bytes]) -> None:
    """Read and discard the rest of a refused body, up to some limits, so that its client can read the response."""
    left = _DRAIN_BYTES
    try:
        async with asyncio.timeout(_DRAIN_SECONDS):
            async for piece in stream:
                left -= len(piece)
                if left < 0:
                    return
    except (TimeoutError, ClientDisconnect):
        return
