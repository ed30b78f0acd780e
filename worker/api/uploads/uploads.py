"""Uploads that are sent in pieces: `/v1/uploads`, by the protocol tus 1.0. Only who created an upload can see it."""

from collections.abc import Sequence
from datetime import timedelta
from email.utils import format_datetime
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from models.uploads import Upload
from worker import clock
from worker.access.callers import Caller, UserCaller
from worker.access.visibility import session_for, session_to_record
from worker.api.http.callers import CallerOf, claimed_user
from worker.api.http.fields import LARGEST_INTEGER, AsText
from worker.api.http.problems import responses
from worker.api.services import Services, ServicesOf
from worker.api.uploads.tus_headers import (
    CONTENT_TYPE,
    UnsupportedMediaType,
    read_checksum,
    read_marks,
    read_metadata,
    require_version,
    upload_length,
    whole_number,
)
from worker.api.uploads.upload_documents import UploadDocument, UploadList, UploadMetadata
from worker.api.uploads.upload_pieces import MOST_CHECKED, append_now, store_body
from worker.errors import AstegniError, InvalidInput, TooLarge
from worker.jobs.live import require_room
from worker.jobs.recording_orders import IngestRecording
from worker.recordings.reading import ingest_jobs
from worker.uploads.appending import Appending
from worker.uploads.upload_rows import NewUpload, list_uploads
from worker.uploads.uploads import UploadPiece, UploadProgress
from worker.workflows.end_upload import finish_upload, terminate_upload
from worker.workflows.piece_sender import PieceSender

# Uploads in one list; only the newest matter.
_MOST_LISTED = 100


async def _require_tus(request: Request) -> None:
    require_version(request.headers)


router = APIRouter(prefix="/v1/uploads", tags=["uploads"], responses=responses(401, 403, 404, 422, 503))
# After the caller: an operator's request is recorded, whatever it lacks.
TusOf = Annotated[None, Depends(_require_tus)]
UploadId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="The last part of the upload's `Location`.")]
SessionId = Annotated[int, Query(ge=1, le=LARGEST_INTEGER), AsText]


@router.post(
    "",
    status_code=201,
    response_class=Response,
    responses=responses(409, 410, 412, 413, 415, 507) | {201: {"description": "Created; `Location` is its address."}},
    summary="Create an upload",
)
async def post_upload(request: Request, caller: CallerOf, services: ServicesOf, _tus: TusOf) -> Response:
    """Create an upload for a recording of a session (its tutor, or who opened it); a body is its first piece."""
    upload = await run_in_threadpool(_create, services, caller, request)
    offset = 0
    if request.headers.get("content-type") == CONTENT_TYPE:
        try:
            offset = await _receive(request, services, caller, upload.id, offset=0)
        except AstegniError:
            # The client does not know the address of this upload.
            await run_in_threadpool(terminate_upload, services.context, upload.id)
            raise
    headers = {"Location": f"/v1/uploads/{upload.id}", "Upload-Offset": str(offset), **_expiry(services)}
    return Response(status_code=201, headers=headers)


@router.head(
    "/{upload_id}",
    response_class=Response,
    responses=responses(410, 412) | {200: {"description": "`Upload-Offset` is where to continue."}},
    summary="Where to continue an upload",
)
def head_upload(upload_id: UploadId, caller: CallerOf, services: ServicesOf, _tus: TusOf) -> Response:
    """How many bytes have arrived; a request that is still sending to this upload is replaced and stores no more."""
    progress = services.uploads.take_over(upload_id, caller.principal)
    if progress.is_whole:
        finish_upload(services.context, upload_id)
    length = progress.upload.length
    known = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
    headers = {"Upload-Offset": str(progress.offset), **known, "Cache-Control": "no-store"}
    return Response(status_code=200, headers=headers | _expiry(services))


@router.patch(
    "/{upload_id}",
    status_code=204,
    response_class=Response,
    responses=responses(409, 410, 412, 413, 415, 460, 507) | {204: {"description": "The bytes are on the disk."}},
    summary="Append to an upload",
)
async def patch_upload(
    upload_id: UploadId, request: Request, caller: CallerOf, services: ServicesOf, _tus: TusOf
) -> Response:
    """Append the body at `Upload-Offset`. The upload is finished when its length is reached."""
    offset = await _receive(request, services, caller, upload_id, offset=_stated_offset(request))
    return _appended(services, offset)


def patch_upload_now(services: Services, request: Request, upload_id: str, body: bytes) -> Response | None:
    """As `patch_upload`, with a body that has arrived, in one thread and with one statement.

    None, with nothing changed, for what is refused before its sender is verified: `patch_upload` names the reason.
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
        piece, checksum = _piece(request, _stated_offset(request)), read_checksum(request.headers)
        appended = append_now(services.uploads, upload_id, user.principal, piece, body, checksum, sender.read_limits)
    except AstegniError:
        if sender.is_verified:
            raise
        return None
    if not sender.is_verified:
        return None
    if isinstance(appended, Appending) and appended.is_whole:
        finish_upload(services.context, upload_id, appended.digest)
    return _appended(services, appended.offset)


@router.delete("/{upload_id}", status_code=204, responses=responses(410, 412), summary="Terminate an upload")
def delete_upload(upload_id: UploadId, caller: CallerOf, services: ServicesOf, _tus: TusOf) -> None:
    """Delete the bytes of an upload. A recording that was made of them stays."""
    with services.database.transaction() as session:
        services.uploads.read(session, upload_id, caller.principal)
    terminate_upload(services.context, upload_id)


@router.get("/{upload_id}", summary="Read an upload")
def get_upload(upload_id: UploadId, caller: CallerOf, services: ServicesOf) -> UploadDocument:
    """The state of an upload, the recording that it became, and the gaps that its recorder reported."""
    with services.database.transaction() as session:
        return _documents(session, [services.uploads.read(session, upload_id, caller.principal)])[0]


@router.get("", summary="List uploads")
def get_uploads(session_id: SessionId, caller: CallerOf, services: ServicesOf) -> UploadList:
    """The caller's newest uploads of a session: those that are open or recovered can be continued."""
    with services.database.transaction() as session:
        session_for(session, caller, session_id)
        rows = list_uploads(session, caller.principal, session_id, most=_MOST_LISTED)
        return UploadList(items=_documents(session, [services.uploads.progress(row) for row in rows]))


def _create(services: Services, caller: Caller, request: Request) -> Upload:
    length = upload_length(request.headers)
    metadata = _metadata(read_metadata(request.headers))
    uploads = services.uploads
    with services.database.transaction() as session:
        session_to_record(session, caller, metadata.session_id)
        services.counters.require(session, services.rates.upload_bytes, caller.principal, length or 0)
        require_room(session, IngestRecording.kind, principal=caller.principal, most=services.most_live_jobs)
        new = NewUpload(
            id=uploads.new_id(),
            principal=caller.principal,
            recorded_by=caller.user_id if isinstance(caller, UserCaller) else None,
            session_id=metadata.session_id,
            spool_id=services.settings.spool_id,
            recording_type=metadata.type,
            length=length,
            title=metadata.title,
            filename=metadata.filename,
            media_type=metadata.filetype,
            started_at=metadata.started_at,
            clock_offset_ms=metadata.clock_offset_ms,
        )
        return uploads.create(session, new)


def _metadata(values: dict[str, str]) -> UploadMetadata:
    """The known members; clients add their own, like `relativePath`. Raises RequestValidationError."""
    known = {name: value for name, value in values.items() if name in UploadMetadata.model_fields}
    try:
        return UploadMetadata.model_validate(known)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False, include_context=False)
        raise RequestValidationError(
            [{**fault, "loc": ("header", "Upload-Metadata", *fault["loc"])} for fault in errors]
        ) from error


def _stated_offset(request: Request) -> int:
    if request.headers.get("content-type") != CONTENT_TYPE:
        raise UnsupportedMediaType(f"Send the bytes with `Content-Type: {CONTENT_TYPE}`.")
    offset = whole_number(request.headers, "Upload-Offset")
    if offset is None:
        raise InvalidInput("Send Upload-Offset, the number of bytes before these.")
    return offset


def _appended(services: Services, offset: int) -> Response:
    return Response(status_code=204, headers={"Upload-Offset": str(offset), **_expiry(services)})


async def _receive(request: Request, services: Services, caller: Caller, upload_id: str, *, offset: int) -> int:
    """Append the body of the request; returns the new offset. Finishes the upload when it is whole."""
    checksum = read_checksum(request.headers)
    piece = _piece(request, offset)
    if checksum is not None and (piece.size or 0) > MOST_CHECKED:
        raise TooLarge(f"A body with Upload-Checksum has at most {MOST_CHECKED} bytes.")
    appending = await run_in_threadpool(_begin, services, caller, upload_id, piece)
    if isinstance(appending, UploadProgress):
        return appending.offset
    try:
        await store_body(request, appending, checksum)
    except ClientDisconnect as error:
        raise InvalidInput("The client went away before the piece was complete.") from error
    finally:
        services.uploads.end_piece(upload_id, appending)
    if appending.is_whole:
        await run_in_threadpool(finish_upload, services.context, upload_id, appending.digest)
    return appending.offset


def _piece(request: Request, offset: int) -> UploadPiece:
    headers = request.headers
    # Only PATCH sets a deferred length; a creation states it for the row.
    length = whole_number(headers, "Upload-Length") if request.scope["method"] == "PATCH" else None
    return UploadPiece(offset, whole_number(headers, "Content-Length"), length, read_marks(headers))


def _begin(services: Services, caller: Caller, upload_id: str, piece: UploadPiece) -> Appending | UploadProgress:
    services.counters.take(services.rates.upload_bytes, caller.principal, piece.size or 0)
    return services.uploads.begin_piece(upload_id, caller.principal, piece)


def _expiry(services: Services) -> dict[str, str]:
    expires_at = clock.now() + timedelta(seconds=services.settings.spool_retention)
    return {"Upload-Expires": format_datetime(expires_at, usegmt=True)}


def _documents(session: Session, progresses: Sequence[UploadProgress]) -> list[UploadDocument]:
    jobs = ingest_jobs(session, [each.upload.recording_id for each in progresses if each.upload.recording_id])
    return [
        UploadDocument(
            id=each.upload.id,
            session_id=each.upload.session_id,
            recording_id=each.upload.recording_id,
            job_id=jobs.get(each.upload.recording_id or 0),
            state=each.upload.state,
            offset=each.offset,
            length=each.upload.length,
            type=each.upload.recording_type,
            title=each.upload.title,
            filename=each.upload.filename,
            started_at=each.upload.started_at,
            marks=each.upload.marks or [],
            gaps=[mark for mark in each.upload.marks or [] if mark["kind"] != "pause"],
            created_at=each.upload.created_at,
        )
        for each in progresses
    ]
