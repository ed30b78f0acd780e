"""A stored object, whichever call of b2sdk returned it."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from b2sdk.v3 import Bucket
from b2sdk.v3.exception import BadRequest, FileNotPresent


@dataclass(frozen=True)
class StoredObject:
    """The newest version of a name. `size` is in bytes; `sha1` is hex, None if others uploaded it without one."""

    name: str
    file_id: str
    size: int
    sha1: str | None
    content_type: str
    uploaded_at: datetime


def describe(version: Any) -> StoredObject:
    """The object behind a FileVersion or DownloadVersion of b2sdk."""
    return StoredObject(
        name=version.file_name,
        file_id=version.id_,
        size=version.size,
        sha1=version.get_content_sha1(),
        content_type=version.content_type,
        uploaded_at=instant(version.upload_timestamp),
    )


def instant(millis: int) -> datetime:
    """Convert Backblaze's milliseconds since 1970."""
    return datetime.fromtimestamp(millis / 1000, UTC)


def find_object(bucket: Bucket, name: str) -> StoredObject | None:
    """The newest version of `name`, None when there is none or it is hidden. Raises b2sdk's errors."""
    try:
        return describe(bucket.get_file_info_by_name(name))
    except FileNotPresent:
        return None


def delete_version(bucket: Bucket, version: Any) -> int:
    """Delete one FileVersion; returns 0 when it was deleted concurrently, else 1. Raises b2sdk's errors."""
    if version.action == "start":
        return cancel_upload(bucket, version.id_)
    try:
        bucket.api.delete_file_version(version.id_, version.file_name)
    except FileNotPresent:
        return 0
    return 1


def cancel_upload(bucket: Bucket, file_id: str) -> int:
    """Cancel an unfinished large file; returns 0 when it was finished or cancelled meanwhile, else 1."""
    try:
        bucket.api.cancel_large_file(file_id)
    except BadRequest:
        return 0
    return 1
