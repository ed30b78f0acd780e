"""Store the body of a request that appends to an upload: what has arrived is stored, even when its client goes away."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import IO

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from worker.api.tus_headers import Checksum
from worker.api.upload_stream import drain
from worker.errors import AstegniError, TooLarge
from worker.uploads.appending import Appending
from worker.uploads.upload_file import LockedUpload, Replaced, WrongOffset
from worker.uploads.uploads import UploadPiece, UploadProgress, Uploads

# Bytes stored at once: few switches to a thread, and a bound on the memory of each request.
_BATCH = 1 << 20
# On a slow link whatever has arrived is stored after this many seconds, so that a lost connection costs little.
_LONGEST_WAIT = 0.5
# A body with a checksum is stored only when all of it has arrived.
MOST_CHECKED = 64 << 20


async def store_body(request: Request, appending: Appending, checksum: Checksum | None) -> None:
    """Append the body of the request; at the return all of it is on the disk.

    `request.state.arrived` is what was read of it before.

    Raises the errors of `appending`, PieceMismatch when nothing was stored, and ClientDisconnect when the client
    went away, with what had arrived on the disk unless there is a checksum.
    """
    stream = _body(request)
    try:
        if checksum is None:
            await _store(stream, appending)
        else:
            await _store_checked(stream, appending, checksum)
    except AstegniError:
        await drain(stream)
        raise


def append_now(
    uploads: Uploads, upload_id: str, principal: str, piece: UploadPiece, body: bytes, checksum: Checksum | None
) -> Appending | UploadProgress:
    """Append a piece whose body has arrived; see `Uploads.begin_piece`. Raises PieceMismatch as well."""

    def store(appending: Appending, locked: LockedUpload) -> None:
        if checksum is not None:
            computed = checksum.new()
            computed.update(body)
            checksum.require(computed)
        try:
            appending.store_all(locked, body)
        finally:
            uploads.end_piece(upload_id, appending)

    return uploads.begin_piece(upload_id, principal, piece, store)


async def _body(request: Request) -> AsyncIterator[bytes]:
    arrived: bytes = getattr(request.state, "arrived", b"")
    if arrived:
        yield arrived
    async for piece in request.stream():
        yield piece


async def _store(stream: AsyncIterator[bytes], appending: Appending) -> None:
    batch = bytearray()
    time = asyncio.get_running_loop().time
    stored_at = time()
    try:
        async for piece in stream:
            batch += piece
            if len(batch) >= _BATCH or time() - stored_at > _LONGEST_WAIT:
                await run_in_threadpool(appending.store, bytes(batch))
                batch.clear()
                stored_at = time()
    except ClientDisconnect:
        # Replaced, WrongOffset: another request already continues this upload, so the rest of this one is not needed.
        with suppress(Replaced, WrongOffset):
            await run_in_threadpool(appending.store, bytes(batch), last=True)
        raise
    await run_in_threadpool(appending.store, bytes(batch), last=True)


async def _store_checked(stream: AsyncIterator[bytes], appending: Appending, checksum: Checksum) -> None:
    computed, size = checksum.new(), 0
    with tempfile.SpooledTemporaryFile(max_size=_BATCH, dir=str(appending.folder)) as body:
        async for piece in stream:
            size += len(piece)
            if size > MOST_CHECKED:
                raise TooLarge(f"A body with Upload-Checksum has at most {MOST_CHECKED} bytes.")
            computed.update(piece)
            # Up to this many bytes are kept in memory; a larger body goes to the disk.
            if size > _BATCH:
                await run_in_threadpool(body.write, piece)
            else:
                body.write(piece)
        checksum.require(computed)
        await run_in_threadpool(_append_all, body, appending)


def _append_all(body: "IO[bytes] | tempfile.SpooledTemporaryFile[bytes]", appending: Appending) -> None:
    body.seek(0)
    while data := body.read(_BATCH):
        appending.store(data)
    appending.store(b"", last=True)
