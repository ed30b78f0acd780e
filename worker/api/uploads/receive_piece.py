"""Receive a piece of an upload: the body of a request, from the offset that it states."""

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect

from worker.access.callers import Caller
from worker.api.services import Services
from worker.api.uploads.count_bytes import count_bytes
from worker.api.uploads.tus_headers import CONTENT_TYPE, UnsupportedMediaType, whole_number
from worker.api.uploads.upload_checksum import read_checksum
from worker.api.uploads.upload_marks import read_marks
from worker.api.uploads.upload_pieces import MAX_CHECKED, store_body
from worker.errors import InvalidInput, TooLarge
from worker.uploads.appender import Appender
from worker.uploads.upload_piece import UploadPiece, UploadProgress
from worker.workflows.uploads.end_upload import finish_upload


def stated_offset(headers: Headers) -> int:
    """`Upload-Offset`, which each piece states. Raises UnsupportedMediaType and InvalidInput."""
    if headers.get("content-type") != CONTENT_TYPE:
        raise UnsupportedMediaType(f"Send the bytes with `Content-Type: {CONTENT_TYPE}`.")
    offset = whole_number(headers, "Upload-Offset")
    if offset is None:
        raise InvalidInput("Send Upload-Offset, the number of bytes before these.")
    return offset


def piece_of(request: Request, offset: int) -> UploadPiece:
    """What the headers say about the piece that begins at `offset`. Raises InvalidInput."""
    headers = request.headers
    # Only PATCH sets a deferred length; a creation states it for the row.
    length = whole_number(headers, "Upload-Length") if request.scope["method"] == "PATCH" else None
    return UploadPiece(offset, whole_number(headers, "Content-Length"), length, read_marks(headers))


async def receive_piece(request: Request, services: Services, caller: Caller, upload_id: str, *, offset: int) -> int:
    """Append the body of the request; returns the new offset. Finishes the upload when it is whole."""
    checksum = read_checksum(request.headers)
    piece = piece_of(request, offset)
    if checksum is not None and (piece.size or 0) > MAX_CHECKED:
        raise TooLarge(f"A body with Upload-Checksum has at most {MAX_CHECKED} bytes.")
    appender = await run_in_threadpool(_begin, services, caller, upload_id, piece)
    if isinstance(appender, UploadProgress):
        return appender.offset
    try:
        await store_body(request, appender, checksum)
    except ClientDisconnect as error:
        raise InvalidInput("The client went away before the piece was complete.") from error
    finally:
        services.uploads.end_piece(upload_id, appender)
        if piece.size is None:
            await run_in_threadpool(count_bytes, services, caller, appender.offset - offset)
    if appender.is_whole:
        await run_in_threadpool(finish_upload, services.context, upload_id, appender.digest)
    return appender.offset


def _begin(services: Services, caller: Caller, upload_id: str, piece: UploadPiece) -> Appender | UploadProgress:
    rate = services.rates.upload_bytes
    if piece.size is None:
        # A chunked body: it is counted when its size is known.
        with services.database.statement() as statement:
            services.counters.require(statement, rate, caller.principal, 1)
    else:
        services.counters.take(rate, caller.principal, piece.size)
    return services.uploads.begin_piece(upload_id, caller.principal, piece)
