"""The calls on large files: start, upload parts in any order, then finish or cancel."""

import sqlite3

from devstack.emulator.api.authorize import MINIMUM_PART_SIZE
from devstack.emulator.api.call import Call
from devstack.emulator.api.documents import part_as_json, version_as_json
from devstack.emulator.api.upload_headers import MAX_PARTS
from devstack.emulator.emulator import Emulator, now_millis
from devstack.emulator.errors import B2Error, Json, bad_request
from devstack.emulator.store.blobs import NewBlob, StoredPart
from devstack.emulator.store.bucket_records import find_bucket
from devstack.emulator.store.encryption import chosen_encryption
from devstack.emulator.store.names import check_file_info, check_file_name, check_header_value
from devstack.emulator.store.versions import (
    FileVersion,
    delete_version,
    find_version,
    insert_part,
    insert_version,
    list_stored_parts,
    new_version_id,
    resolve_content_type,
)

_MAX_PAGE = 100


def start_large_file(call: Call) -> Json:
    """b2_start_large_file."""
    parameters = call.parameters
    bucket_id, name = parameters.text("bucketId"), check_file_name(parameters.text("fileName"))
    call.key.permit("writeFiles", bucket_id, name)
    if parameters.object("fileRetention") or "legalHold" in parameters:
        raise bad_request("This emulator does not support file lock.")
    if "custom_upload_timestamp" in parameters:
        raise B2Error(400, "custom_timestamp_not_allowed", "Custom upload timestamps are not enabled.")
    content_type = check_header_value("contentType", parameters.text("contentType"))
    info = check_file_info(parameters.mapping("fileInfo") or {})
    at = now_millis()
    with call.emulator.index.transaction() as sql:
        bucket = find_bucket(sql, bucket_id)
        version = FileVersion(
            id=new_version_id(bucket_id, at, large=True),
            bucket_id=bucket_id,
            name=name,
            action="start",
            content_type=resolve_content_type(content_type, name),
            content_sha1="none",
            size=0,
            info=info,
            encryption=chosen_encryption(parameters.object("serverSideEncryption"), bucket.encryption),
            uploaded_at=at,
        )
        insert_version(sql, version)
    return version_as_json(version, call.reader)


def get_upload_part_url(call: Call) -> Json:
    """b2_get_upload_part_url: a URL and a token for one uploader at a time."""
    version = _find_writable(call)
    token = call.emulator.tokens.seal("part", call.emulator.upload_seconds, key=call.key.id, target=version.id)
    url = f"{call.base_url}/b2api/v{call.version}/b2_upload_part/{version.id}/{token[-12:]}"
    return {"fileId": version.id, "uploadUrl": url, "authorizationToken": token}


def store_part(emulator: Emulator, version_id: str, number: int, blob: NewBlob) -> StoredPart:
    """Store an uploaded part; it replaces one with the same number."""
    with blob, emulator.index.transaction() as sql:
        # The file may have been finished or cancelled during the upload.
        find_unfinished(sql, version_id)
        replaced = sql.execute(
            "delete from parts where version_id = ? and number = ? returning blob", (version_id, number)
        ).fetchall()
        part = insert_part(sql, version_id, number, blob)
    emulator.blobs.delete(row["blob"] for row in replaced)
    return part


def list_parts(call: Call) -> Json:
    """b2_list_parts."""
    version = _find_writable(call)
    start = call.parameters.integer("startPartNumber", 1, MAX_PARTS, 1)
    count = call.parameters.integer("maxPartCount", 1, MAX_PARTS, 1000)
    with call.emulator.index.transaction() as sql:
        parts = [part for part in list_stored_parts(sql, version.id) if part.number >= start]
    following = parts[count].number if len(parts) > count else None
    return {"parts": [part_as_json(version.id, part) for part in parts[:count]], "nextPartNumber": following}


def finish_large_file(call: Call) -> Json:
    """b2_finish_large_file: the parts, listed by their SHA-1s in order, become the file."""
    version, sha1s = _find_writable(call), call.parameters.texts("partSha1Array")
    if not sha1s:
        raise bad_request("partSha1Array must not be empty")
    with call.emulator.index.transaction() as sql:
        find_unfinished(sql, version.id)
        parts = list_stored_parts(sql, version.id)
        _check_parts(parts, sha1s)
        sql.execute(
            "update versions set action = 'upload', size = ? where id = ?",
            (sum(part.size for part in parts), version.id),
        )
        finished = find_version(sql, version.id)
    return version_as_json(finished, call.reader)


def cancel_large_file(call: Call) -> Json:
    """b2_cancel_large_file: its parts are removed."""
    version = _find_writable(call)
    with call.emulator.index.transaction() as sql:
        find_unfinished(sql, version.id)
        blobs = delete_version(sql, version.id)
    call.emulator.blobs.delete(blobs)
    return {
        "accountId": call.emulator.account_id,
        "bucketId": version.bucket_id,
        "fileId": version.id,
        "fileName": version.name,
    }


def list_unfinished_large_files(call: Call) -> Json:
    """b2_list_unfinished_large_files: in the order of their start."""
    bucket_id = call.parameters.text("bucketId")
    prefix = call.parameters.optional_text("namePrefix") or ""
    count = call.parameters.integer("maxFileCount", 1, _MAX_PAGE, _MAX_PAGE)
    start = call.parameters.optional_text("startFileId")
    call.key.permit("listFiles", bucket_id, prefix)
    with call.emulator.index.transaction() as sql:
        find_bucket(sql, bucket_id)
        rows = sql.execute(
            "select * from versions where bucket_id = ? and action = 'start' and substr(name, 1, ?) = ?"
            " and sequence >= coalesce((select sequence from versions where id = ?), 0)"
            " order by sequence limit ?",
            (bucket_id, len(prefix), prefix, start, count + 1),
        ).fetchall()
    versions = [FileVersion.from_row(row) for row in rows]
    files = [version_as_json(version, call.reader) for version in versions[:count]]
    return {"files": files, "nextFileId": versions[count].id if len(versions) > count else None}


def find_unfinished(sql: sqlite3.Connection, version_id: str) -> FileVersion:
    """The large file with this id, if it is unfinished; otherwise a `bad_request`."""
    try:
        version = find_version(sql, version_id)
    except B2Error:
        raise bad_request(f"No active upload for: {version_id}") from None
    if version.action != "start":
        raise bad_request(f"No active upload for: {version_id}")
    return version


def _find_writable(call: Call) -> FileVersion:
    with call.emulator.index.transaction() as sql:
        version = find_unfinished(sql, call.parameters.text("fileId"))
    call.key.permit("writeFiles", version.bucket_id, version.name)
    return version


def _check_parts(parts: list[StoredPart], sha1s: list[str]) -> None:
    if [part.number for part in parts] != list(range(1, len(sha1s) + 1)):
        raise B2Error(400, "missing_part", f"{len(sha1s)} parts are listed, but not exactly these are uploaded")
    for part, sha1 in zip(parts, sha1s, strict=True):
        if part.sha1 != sha1:
            raise B2Error(400, "part_sha1_mismatch", f"Part {part.number} has another SHA-1 than {sha1}")
    for part in parts[:-1]:
        if part.size < MINIMUM_PART_SIZE:
            raise bad_request(f"Part number {part.number} is smaller than {MINIMUM_PART_SIZE} bytes")
