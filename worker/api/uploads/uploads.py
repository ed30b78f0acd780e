"""Uploads that are sent in pieces: `/v1/uploads`, by the protocol tus 1.0. Only its creator can see an upload."""

from typing import Annotated

from fastapi import APIRouter, Depends, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from worker.api.http.callers import CallerOf
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.api.uploads.create_upload import create_upload, stated_metadata
from worker.api.uploads.receive_piece import receive_piece, stated_offset
from worker.api.uploads.tus_headers import CONTENT_TYPE, require_version
from worker.api.uploads.tus_responses import appended_response, expiry_headers
from worker.api.uploads.upload_documents import UploadId
from worker.errors import AstegniError
from worker.uploads.upload_rows import upload_address
from worker.workflows.uploads.end_upload import finish_upload, terminate_upload


async def _require_tus(request: Request) -> None:
    require_version(request.headers)


router = APIRouter(prefix="/v1/uploads", tags=["uploads"], responses=responses(401, 403, 404, 422, 503))
# Declared after the caller, so that an operator's request is recorded even without the header.
TusOf = Annotated[None, Depends(_require_tus)]


@router.post(
    "",
    status_code=201,
    response_class=Response,
    responses=responses(409, 410, 412, 413, 415, 507) | {201: {"description": "Created; `Location` is its address."}},
    summary="Create an upload",
)
async def post_upload(request: Request, caller: CallerOf, services: ServicesOf, _tus: TusOf) -> Response:
    """Create an upload for a recording of a session (as its tutor or opener); a body is its first piece."""
    upload = await run_in_threadpool(create_upload, services, caller, request.headers)
    offset = 0
    if request.headers.get("content-type") == CONTENT_TYPE:
        try:
            offset = await receive_piece(request, services, caller, upload.id, offset=0)
        except AstegniError:
            # The client does not know the address of this upload.
            await run_in_threadpool(terminate_upload, services.context, upload.id)
            raise
    headers = {"Location": upload_address(upload), "Upload-Offset": str(offset), **expiry_headers(services)}
    return Response(status_code=201, headers=headers)


@router.head(
    "/{upload_id}",
    response_class=Response,
    responses=responses(410, 412, 421) | {200: {"description": "`Upload-Offset` is where to continue."}},
    summary="Where to continue an upload",
)
def head_upload(upload_id: UploadId, caller: CallerOf, services: ServicesOf, _tus: TusOf) -> Response:
    """How many bytes have arrived; a request that is still sending to this upload is replaced and stores no more."""
    progress = services.uploads.take_over(upload_id, caller.principal)
    if progress.is_whole:
        finish_upload(services.context, upload_id)
    length = progress.upload.length
    known = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
    headers = {"Upload-Offset": str(progress.offset), **known, "Upload-Metadata": stated_metadata(progress.upload)}
    return Response(status_code=200, headers=headers | expiry_headers(services) | {"Cache-Control": "no-store"})


@router.patch(
    "/{upload_id}",
    status_code=204,
    response_class=Response,
    responses=responses(409, 410, 412, 413, 415, 421, 460, 507) | {204: {"description": "The bytes are on the disk."}},
    summary="Append to an upload",
)
async def patch_upload(
    upload_id: UploadId, request: Request, caller: CallerOf, services: ServicesOf, _tus: TusOf
) -> Response:
    """Append the body at `Upload-Offset`. The upload is finished when its length is reached."""
    offset = await receive_piece(request, services, caller, upload_id, offset=stated_offset(request.headers))
    return appended_response(services, offset)


@router.delete("/{upload_id}", status_code=204, responses=responses(410, 412, 421), summary="Terminate an upload")
def delete_upload(upload_id: UploadId, caller: CallerOf, services: ServicesOf, _tus: TusOf) -> None:
    """Delete the bytes of an upload. A recording that was made from them stays."""
    with services.database.transaction() as session:
        services.uploads.read(session, upload_id, caller.principal)
    terminate_upload(services.context, upload_id)
