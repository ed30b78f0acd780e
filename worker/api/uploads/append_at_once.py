"""Append a piece whose body has arrived, in one thread and with one statement."""

from fastapi import Request
from starlette.responses import Response

from worker import clock
from worker.api.http.callers import claimed_user
from worker.api.services import Services
from worker.api.uploads.receive_piece import piece_of, stated_offset
from worker.api.uploads.tus_headers import require_version
from worker.api.uploads.tus_responses import appended_response
from worker.api.uploads.upload_checksum import Checksum, read_checksum
from worker.errors import AstegniError
from worker.uploads.appender import Appender
from worker.uploads.locked_upload import LockedUpload
from worker.uploads.upload_piece import UploadPiece, UploadProgress
from worker.uploads.uploads import ReadLimits, Uploads
from worker.workflows.uploads.end_upload import finish_upload
from worker.workflows.uploads.piece_sender import PieceSender


def append_at_once(services: Services, request: Request, upload_id: str, body: bytes) -> Response | None:
    """Append a body that has arrived; returns the response of PATCH.

    Returns None, with nothing changed, for a request refused before its sender is verified: the route then reports why.
    """
    user = claimed_user(services, request)
    if user is None:
        return None
    counters, rate = services.counters, services.rates.upload_bytes
    sender = PieceSender(
        user,
        services.context.platform_people,
        now=clock.now(),
        on_verified=lambda: counters.take(rate, user.principal, len(body)),
    )
    try:
        require_version(request.headers)
        piece, checksum = piece_of(request, stated_offset(request.headers)), read_checksum(request.headers)
        appended = _append(services.uploads, upload_id, user.principal, piece, body, checksum, sender.read_limits)
    except AstegniError:
        if sender.is_verified:
            raise
        return None
    if not sender.is_verified:
        return None
    if isinstance(appended, Appender) and appended.is_whole:
        finish_upload(services.context, upload_id, appended.digest)
    return appended_response(services, appended.offset)


def _append(
    uploads: Uploads,
    upload_id: str,
    principal: str,
    piece: UploadPiece,
    body: bytes,
    checksum: Checksum | None,
    read: ReadLimits,
) -> Appender | UploadProgress:
    """Append a piece whose body has arrived; see `Uploads.begin_piece`. Raises PieceMismatch as well."""

    def store(appender: Appender, locked: LockedUpload) -> None:
        try:
            if checksum is not None:
                computed = checksum.new()
                computed.update(body)
                checksum.require(computed)
            appender.store_all(locked, body)
        finally:
            uploads.end_piece(upload_id, appender)

    return uploads.begin_piece(upload_id, principal, piece, store, read=read)
