"""The calls that upload: a URL for one uploader at a time, then the bytes of a file or a part."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request

from devstack.emulator.access import find_key
from devstack.emulator.api.call import Call
from devstack.emulator.api.documents import DocumentReader, part_as_json, version_as_json
from devstack.emulator.api.large_files import find_unfinished, store_part
from devstack.emulator.api.receive import UNVERIFIED, receive_blob
from devstack.emulator.api.upload_headers import FileHeaders, read_file_headers, read_part_headers
from devstack.emulator.emulator import Emulator, now_millis
from devstack.emulator.errors import B2Error, Json, bad_auth_token
from devstack.emulator.store.blobs import NewBlob
from devstack.emulator.store.bucket_records import find_bucket
from devstack.emulator.store.encryption import encryption_from_headers
from devstack.emulator.store.versions import (
    FileVersion,
    insert_part,
    insert_version,
    new_version_id,
    resolve_content_type,
)


def get_upload_url(call: Call) -> Json:
    """b2_get_upload_url: a URL and a token for one uploader at a time."""
    bucket_id = call.parameters.text("bucketId")
    call.key.permit("writeFiles", bucket_id)
    with call.emulator.index.transaction() as sql:
        find_bucket(sql, bucket_id)
    token = call.emulator.tokens.seal("upload", call.emulator.upload_seconds, key=call.key.id, target=bucket_id)
    url = f"{call.base_url}/b2api/v{call.version}/b2_upload_file/{bucket_id}/{token[-12:]}"
    return {"bucketId": bucket_id, "uploadUrl": url, "authorizationToken": token}


async def upload_file(emulator: Emulator, request: Request, body: AsyncIterator[bytes], version: int) -> Json:
    """b2_upload_file: the body is the file, everything else is in headers."""
    with _claimed_token(emulator, request, "upload") as claims:
        key = await run_in_threadpool(find_key, emulator, claims["key"])
        headers = read_file_headers(request.headers)
        key.permit("writeFiles", claims["target"], headers.name)
        blob = await receive_blob(body, emulator.blobs, headers.sha1)
        stored = await run_in_threadpool(_store_file, emulator, request, claims["target"], headers, blob)
        return version_as_json(stored, DocumentReader(emulator.account_id, key, version))


async def upload_part(emulator: Emulator, request: Request, body: AsyncIterator[bytes], _version: int) -> Json:
    """b2_upload_part."""
    with _claimed_token(emulator, request, "part") as claims:
        headers = read_part_headers(request.headers)
        await run_in_threadpool(_check_unfinished, emulator, claims["target"])
        blob = await receive_blob(body, emulator.blobs, headers.sha1)
        part = await run_in_threadpool(store_part, emulator, claims["target"], headers.number, blob)
        return part_as_json(claims["target"], part)


@contextmanager
def _claimed_token(emulator: Emulator, request: Request, kind: str) -> Iterator[dict[str, Any]]:
    """The claims of the request's upload token, which is marked as busy within the block."""
    token = request.headers.get("authorization", "")
    claims = emulator.tokens.open(token, kind)
    if claims["target"] != request.path_params["target"]:
        raise bad_auth_token("The token belongs to another upload URL")
    if token in emulator.busy_uploads:
        # A limit of B2: a concurrent uploader must get another URL.
        raise B2Error(503, "service_unavailable", "This upload URL is busy; get another one")
    emulator.busy_uploads.add(token)
    try:
        emulator.faults.maybe_fail_upload(request.headers)
        emulator.faults.maybe_exceed_cap(request.headers, "storage_cap_exceeded")
        yield claims
    finally:
        emulator.busy_uploads.discard(token)


def _store_file(
    emulator: Emulator, request: Request, bucket_id: str, headers: FileHeaders, blob: NewBlob
) -> FileVersion:
    at = now_millis()
    unverified = headers.sha1 == UNVERIFIED or headers.sha1.startswith("unverified:")
    with blob, emulator.index.transaction() as sql:
        bucket = find_bucket(sql, bucket_id)
        version = FileVersion(
            id=new_version_id(bucket_id, at, large=False),
            bucket_id=bucket_id,
            name=headers.name,
            action="upload",
            content_type=resolve_content_type(headers.content_type, headers.name),
            content_sha1=f"unverified:{blob.sha1}" if unverified else blob.sha1,
            size=blob.size,
            info=headers.info,
            encryption=encryption_from_headers(request.headers, bucket.encryption),
            uploaded_at=at,
        )
        insert_version(sql, version)
        insert_part(sql, version.id, 1, blob)
    return version


def _check_unfinished(emulator: Emulator, file_id: str) -> None:
    with emulator.index.transaction() as sql:
        find_unfinished(sql, file_id)
