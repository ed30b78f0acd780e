"""Store the body of a request that appends to an upload: what has arrived is stored, even when its client goes away."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from typing import IO, NamedTuple, Self

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from worker.api.uploads.upload_checksum import Checksum
from worker.api.uploads.upload_stream import drain
from worker.errors import AstegniError, TooLarge
from worker.uploads.appender import Appender
from worker.uploads.upload_errors import UploadTakenOver, WrongOffset

# Bytes stored at once: few switches to a thread, and a bound on the memory of each request.
_BATCH = 1 << 20
# On a slow link whatever has arrived is stored after this many seconds, so that a lost connection costs little.
_LONGEST_WAIT = 0.5
# A body with a checksum is stored only when all of it has arrived.
MAX_CHECKED = 64 << 20


class _Batch(NamedTuple):
    """Bytes that are stored at once; `is_last` when no more will come."""

    data: bytes
    is_last: bool = False


class _Body:
    """The body of a request, piece by piece. Unlike the framework's stream, it survives a cancelled read."""

    def __init__(self, request: Request) -> None:
        self._receive = request.receive
        self._is_complete = False

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._is_complete:
            raise StopAsyncIteration
        message = await self._receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        self._is_complete = not message.get("more_body", False)
        return bytes(message.get("body", b""))


async def store_body(request: Request, appender: Appender, checksum: Checksum | None) -> None:
    """Append the body of the request; on return all of it is on the disk.

    Raises the errors of `appender`, PieceMismatch when nothing was stored, and ClientDisconnect when the client
    went away, with what had arrived on the disk unless there is a checksum.
    """
    stream = _Body(request)
    try:
        if checksum is None:
            await _store(stream, appender)
        else:
            await _store_checked(stream, appender, checksum)
    except AstegniError:
        await drain(stream)
        raise


async def _store(stream: AsyncIterator[bytes], appender: Appender) -> None:
    """Store a batch while the next one arrives. What has arrived when the client goes away is stored, too."""
    batches: asyncio.Queue[_Batch] = asyncio.Queue(maxsize=1)
    is_complete = True
    try:
        async with asyncio.TaskGroup() as group:
            group.create_task(_store_batches(batches, appender))
            is_complete = await _fill(batches, stream)
    except ExceptionGroup as errors:
        error = errors.exceptions[0]
        # Another request already continues this upload, so the rest of this one is not needed.
        if is_complete or not isinstance(error, UploadTakenOver | WrongOffset):
            raise error from None
    if not is_complete:
        raise ClientDisconnect


async def _fill(batches: "asyncio.Queue[_Batch]", stream: AsyncIterator[bytes]) -> bool:
    """Put the body into the queue; returns whether it is complete."""
    time = asyncio.get_running_loop().time
    pieces: list[bytes] = []
    size, stored_at, is_complete = 0, time(), True
    try:
        async for piece in stream:
            pieces.append(piece)
            size += len(piece)
            if size >= _BATCH or time() - stored_at > _LONGEST_WAIT:
                await batches.put(_Batch(b"".join(pieces)))
                pieces, size, stored_at = [], 0, time()
    except ClientDisconnect:
        is_complete = False
    await batches.put(_Batch(b"".join(pieces), is_last=True))
    return is_complete


async def _store_batches(batches: "asyncio.Queue[_Batch]", appender: Appender) -> None:
    while True:
        batch = await batches.get()
        await run_in_threadpool(appender.store, batch.data, last=batch.is_last)
        if batch.is_last:
            return


async def _store_checked(stream: AsyncIterator[bytes], appender: Appender, checksum: Checksum) -> None:
    computed, size = checksum.new(), 0
    with tempfile.SpooledTemporaryFile(max_size=_BATCH, dir=str(appender.folder)) as body:
        async for piece in stream:
            size += len(piece)
            if size > MAX_CHECKED:
                raise TooLarge(f"A body with Upload-Checksum has at most {MAX_CHECKED} bytes.")
            computed.update(piece)
            # Up to this many bytes are kept in memory; a larger body goes to the disk.
            if size > _BATCH:
                await run_in_threadpool(body.write, piece)
            else:
                body.write(piece)
        checksum.require(computed)
        await run_in_threadpool(_append_all, body, appender)


def _append_all(body: "IO[bytes] | tempfile.SpooledTemporaryFile[bytes]", appender: Appender) -> None:
    body.seek(0)
    while data := body.read(_BATCH):
        appender.store(data)
    appender.store(b"", last=True)
