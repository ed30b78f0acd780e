"""Downloads, by name or by id, whole or in ranges, with the headers that B2 sends."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from devstack.emulator.access import find_key
from devstack.emulator.api.cors import download_headers, preflight_headers
from devstack.emulator.api.files import OVERRIDES
from devstack.emulator.api.ranges import requested_range
from devstack.emulator.emulator import Emulator
from devstack.emulator.errors import B2Error, bad_auth_token, error_response, not_found, unauthorized
from devstack.emulator.store.blobs import StoredPart
from devstack.emulator.store.bucket_records import Bucket, find_bucket, find_bucket_by_name
from devstack.emulator.store.names import check_header_value, decode, encode
from devstack.emulator.store.versions import FileVersion, find_latest, find_version, list_stored_parts

_BY_NAME = "b2_download_file_by_name"
_BY_ID = "b2_download_file_by_id"


@dataclass(frozen=True)
class _Target:
    """What a download URL names; `version` is None when there is nothing to download (any more)."""

    operation: str
    bucket: Bucket
    name: str
    version: FileVersion | None
    parts: list[StoredPart]


async def download_by_name(emulator: Emulator, request: Request) -> Response:
    """GET, HEAD or OPTIONS /file/{bucket}/{name}."""
    # From the raw path: in the decoded one `+` (a space) and `%2B` (a plus) are the same.
    _, _, bucket, name = request.scope["raw_path"].decode("ascii", "replace").split("/", 3)
    return await _download(emulator, request, lambda: _find_by_name(emulator, decode(bucket), decode(name)))


async def download_by_id(emulator: Emulator, request: Request, file_id: str) -> Response:
    """b2_download_file_by_id, also OPTIONS."""
    return await _download(emulator, request, lambda: _find_by_id(emulator, file_id))


async def _download(emulator: Emulator, request: Request, find: Callable[[], _Target]) -> Response:
    target = await run_in_threadpool(find)
    if request.method == "OPTIONS":
        headers = preflight_headers(target.bucket.cors_rules, target.operation, request.headers)
        return Response(status_code=403) if headers is None else Response(headers=headers)
    cors = download_headers(target.bucket.cors_rules, target.operation, request.headers)
    try:
        emulator.faults.maybe_exceed_cap(request.headers, "download_cap_exceeded")
        overrides = await run_in_threadpool(_authorize, emulator, request, target)
        return _respond(emulator, request, target, overrides, cors)
    except B2Error as error:
        # An error has the CORS headers too, or the page could not read its status.
        return error_response(error, cors)


def _find_by_name(emulator: Emulator, bucket_name: str, name: str) -> _Target:
    with emulator.index.transaction() as sql:
        bucket = find_bucket_by_name(sql, bucket_name)
        if bucket is None:
            raise not_found(f"Bucket {bucket_name} does not exist")
        version = find_latest(sql, bucket.id, name)
        if version is None or version.action != "upload":
            return _Target(_BY_NAME, bucket, name, None, [])
        return _Target(_BY_NAME, bucket, name, version, list_stored_parts(sql, version.id))


def _find_by_id(emulator: Emulator, file_id: str) -> _Target:
    with emulator.index.transaction() as sql:
        version = find_version(sql, file_id)
        bucket = find_bucket(sql, version.bucket_id)
        if version.action != "upload":
            return _Target(_BY_ID, bucket, version.name, None, [])
        return _Target(_BY_ID, bucket, version.name, version, list_stored_parts(sql, file_id))


def _authorize(emulator: Emulator, request: Request, target: _Target) -> dict[str, str]:
    """Check the token, in the header or the query, and return the headers that the query overrides."""
    overrides = {name: request.query_params[name] for name in OVERRIDES if name in request.query_params}
    token = request.headers.get("authorization") or request.query_params.get("Authorization")
    if token:
        _check_token(emulator, token, target, overrides)
    elif overrides or not target.bucket.is_public:
        raise unauthorized("An authorization token is needed")
    return {OVERRIDES[name]: check_header_value(name, value) for name, value in overrides.items()}


def _check_token(emulator: Emulator, token: str, target: _Target, overrides: Mapping[str, str]) -> None:
    claims = emulator.tokens.open(token, "account", "download")
    key = find_key(emulator, claims["key"])
    if claims["kind"] == "account":
        key.permit("readFiles", target.bucket.id, target.name)
    elif target.operation != _BY_NAME:
        raise bad_auth_token("A download authorization opens files by name only")
    elif claims["bucket"] != target.bucket.id or not target.name.startswith(claims["prefix"]):
        raise unauthorized("The download authorization is for other files")
    elif any(overrides.get(name) != value for name, value in claims["overrides"].items()):
        raise unauthorized("The download authorization demands other b2... parameters")


def _respond(
    emulator: Emulator, request: Request, target: _Target, overrides: Mapping[str, str], cors: Mapping[str, str]
) -> Response:
    version = target.version
    if version is None:
        raise not_found(f"File with such name does not exist: {target.name}")
    byte_range = requested_range(request.headers.get("range"), version.size)
    start, length = (byte_range.start, byte_range.length) if byte_range else (0, version.size)
    headers = {**_headers(version, target.bucket), **overrides, **cors, "Content-Length": str(length)}
    if byte_range:
        headers["Content-Range"] = byte_range.content_range
    status = 206 if byte_range else 200
    if request.method == "HEAD":
        return Response(status_code=status, headers=headers)
    return StreamingResponse(emulator.blobs.read(target.parts, start, length), status, headers)


def _headers(version: FileVersion, bucket: Bucket) -> dict[str, str]:
    headers = {
        "Accept-Ranges": "bytes",
        "Content-Type": version.content_type or "application/octet-stream",
        "X-Bz-Content-Sha1": version.content_sha1 or "none",
        "X-Bz-File-Id": version.id,
        "X-Bz-File-Name": encode(version.name),
        "X-Bz-Upload-Timestamp": str(version.uploaded_at),
    }
    if version.encryption.get("algorithm"):
        headers["X-Bz-Server-Side-Encryption"] = version.encryption["algorithm"]
    if "cache-control" in bucket.info:
        headers["Cache-Control"] = bucket.info["cache-control"]
    standard = {f"b2-{header.lower()}": header for header in OVERRIDES.values()}
    for name, value in version.info.items():
        if name in standard:
            headers[standard[name]] = value
        else:
            headers[f"X-Bz-Info-{name}"] = encode(value)
    return headers
