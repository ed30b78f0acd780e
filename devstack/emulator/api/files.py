"""The calls on single file versions: info, hide, delete, and download authorization."""

from devstack.emulator.api.call import Call
from devstack.emulator.api.documents import version_as_json
from devstack.emulator.errors import B2Error, Json
from devstack.emulator.store.bucket_records import find_bucket
from devstack.emulator.store.names import check_file_name, check_header_value
from devstack.emulator.store.versions import (
    delete_version,
    find_latest,
    find_version,
    hide_marker,
    insert_version,
)

_WEEK = 604_800
OVERRIDES = {
    "b2ContentDisposition": "Content-Disposition",
    "b2ContentLanguage": "Content-Language",
    "b2Expires": "Expires",
    "b2CacheControl": "Cache-Control",
    "b2ContentEncoding": "Content-Encoding",
    "b2ContentType": "Content-Type",
}


def get_file_info(call: Call) -> Json:
    """b2_get_file_info."""
    with call.emulator.index.transaction() as sql:
        version = find_version(sql, call.parameters.text("fileId"))
    call.key.permit("readFiles", version.bucket_id, version.name)
    return version_as_json(version, call.reader)


def hide_file(call: Call) -> Json:
    """b2_hide_file: the file is left out of listings and downloads by name, and stays stored."""
    bucket_id = call.parameters.text("bucketId")
    name = check_file_name(call.parameters.text("fileName"))
    call.key.permit("writeFiles", bucket_id, name)
    with call.emulator.index.transaction() as sql:
        find_bucket(sql, bucket_id)
        latest = find_latest(sql, bucket_id, name)
        if latest is None:
            raise B2Error(400, "no_such_file", f"File not present: {name}")
        if latest.action == "hide":
            raise B2Error(400, "already_hidden", f"File already hidden: {name}")
        marker = hide_marker(bucket_id, name)
        insert_version(sql, marker)
    return version_as_json(marker, call.reader)


def delete_file_version(call: Call) -> Json:
    """b2_delete_file_version; name and id must belong together."""
    file_id, name = call.parameters.text("fileId"), call.parameters.text("fileName")
    with call.emulator.index.transaction() as sql:
        try:
            version = find_version(sql, file_id)
        except B2Error:
            version = None
        if version is None or version.name != name:
            raise B2Error(400, "file_not_present", f"File not present: {name} {file_id}")
        call.key.permit("deleteFiles", version.bucket_id, version.name)
        blobs = delete_version(sql, file_id)
    call.emulator.blobs.delete(blobs)
    return {"fileId": file_id, "fileName": name}


def get_download_authorization(call: Call) -> Json:
    """b2_get_download_authorization: a token for all files of a bucket whose names start with a prefix."""
    bucket_id = call.parameters.text("bucketId")
    prefix = call.parameters.text("fileNamePrefix")
    seconds = call.parameters.integer("validDurationInSeconds", 1, _WEEK)
    call.key.permit("shareFiles", bucket_id, prefix)
    with call.emulator.index.transaction() as sql:
        find_bucket(sql, bucket_id)
    required = {
        name: check_header_value(name, value)
        for name in OVERRIDES
        if (value := call.parameters.optional_text(name)) is not None
    }
    token = call.emulator.tokens.seal(
        "download", seconds, key=call.key.id, bucket=bucket_id, prefix=prefix, overrides=required
    )
    return {"bucketId": bucket_id, "fileNamePrefix": prefix, "authorizationToken": token}
