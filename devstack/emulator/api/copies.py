"""Server-side copies: a whole file, a range of one, or a part of a large file."""

from devstack.emulator.api.call import Call
from devstack.emulator.api.documents import part_as_json, version_as_json
from devstack.emulator.api.large_files import find_unfinished, store_part
from devstack.emulator.api.parameters import Parameters
from devstack.emulator.api.ranges import requested_range
from devstack.emulator.api.upload_headers import MAX_PARTS
from devstack.emulator.emulator import now_millis
from devstack.emulator.errors import Json, bad_request, not_found
from devstack.emulator.store.blobs import NewBlob, StoredPart
from devstack.emulator.store.bucket_records import find_bucket
from devstack.emulator.store.encryption import chosen_encryption
from devstack.emulator.store.names import check_file_info, check_file_name, check_header_value
from devstack.emulator.store.versions import (
    FileVersion,
    find_version,
    insert_part,
    insert_version,
    list_stored_parts,
    new_version_id,
    resolve_content_type,
)


def copy_file(call: Call) -> Json:
    """b2_copy_file; `metadataDirective` REPLACE gives the copy another type and info."""
    parameters = call.parameters
    source, parts = _find_source(call)
    bucket_id = parameters.optional_text("destinationBucketId") or source.bucket_id
    name = check_file_name(parameters.text("fileName"))
    call.key.permit("writeFiles", bucket_id, name)
    content_type, info = _metadata(parameters, source, name)
    at = now_millis()
    with _copy(call, source, parts) as blob, call.emulator.index.transaction() as sql:
        bucket = find_bucket(sql, bucket_id)
        encryption = parameters.object("destinationServerSideEncryption")
        version = FileVersion(
            id=new_version_id(bucket_id, at, large=False),
            bucket_id=bucket_id,
            name=name,
            action="upload",
            content_type=content_type,
            content_sha1=blob.sha1,
            size=blob.size,
            info=info,
            encryption=chosen_encryption(encryption, bucket.encryption),
            uploaded_at=at,
        )
        insert_version(sql, version)
        insert_part(sql, version.id, 1, blob)
    return version_as_json(version, call.reader)


def copy_part(call: Call) -> Json:
    """b2_copy_part: a part of a large file from the bytes of a stored file."""
    large_file_id = call.parameters.text("largeFileId")
    number = call.parameters.integer("partNumber", 1, MAX_PARTS)
    source, parts = _find_source(call)
    with call.emulator.index.transaction() as sql:
        target = find_unfinished(sql, large_file_id)
    call.key.permit("writeFiles", target.bucket_id, target.name)
    blob = _copy(call, source, parts)
    return part_as_json(large_file_id, store_part(call.emulator, large_file_id, number, blob))


def _find_source(call: Call) -> tuple[FileVersion, list[StoredPart]]:
    with call.emulator.index.transaction() as sql:
        source = find_version(sql, call.parameters.text("sourceFileId"))
        if source.action != "upload":
            raise not_found(f"File {source.id} has no content")
        parts = list_stored_parts(sql, source.id)
    call.key.permit("readFiles", source.bucket_id, source.name)
    return source, parts


def _metadata(parameters: Parameters, source: FileVersion, name: str) -> tuple[str, dict[str, str]]:
    directive = parameters.optional_text("metadataDirective") or "COPY"
    content_type, info = parameters.optional_text("contentType"), parameters.mapping("fileInfo")
    if directive == "COPY":
        if content_type is not None or info is not None:
            raise bad_request("contentType and fileInfo need the metadataDirective REPLACE")
        return source.content_type or "", source.info
    if directive != "REPLACE" or content_type is None:
        raise bad_request("metadataDirective must be COPY, or REPLACE with a contentType")
    check_header_value("contentType", content_type)
    return resolve_content_type(content_type, name), check_file_info(info or {})


def _copy(call: Call, source: FileVersion, parts: list[StoredPart]) -> NewBlob:
    stretch = requested_range(call.parameters.optional_text("range"), source.size)
    start, length = (stretch.start, stretch.length) if stretch else (0, source.size)
    with call.emulator.blobs.create() as blob:
        for data in call.emulator.blobs.read(parts, start, length):
            blob.write(data)
        blob.finish()
        return blob
