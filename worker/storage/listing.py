"""Lists of a bucket, read page by page."""

from collections.abc import Iterator
from typing import Any

from b2sdk.v3 import Bucket

_NAMES = 1000  # Backblaze bills each started thousand as one call
_UNFINISHED = 100  # the maximum per call


def file_names(bucket: Bucket, prefix: str) -> Iterator[Any]:
    """The newest version of every name that starts with `prefix`, as b2sdk's FileVersion."""
    start = None
    while True:
        page = bucket.api.session.list_file_names(bucket.id_, start, _NAMES, prefix)
        yield from map(bucket.api.file_version_factory.from_api_response, page["files"])
        start = page["nextFileName"]
        if start is None:
            return


def file_versions(bucket: Bucket, prefix: str) -> Iterator[Any]:
    """Every version, hide marker and unfinished upload of every name that starts with `prefix`."""
    start, start_id = None, None
    while True:
        page = bucket.api.session.list_file_versions(bucket.id_, start, start_id, _NAMES, prefix)
        yield from map(bucket.api.file_version_factory.from_api_response, page["files"])
        start, start_id = page["nextFileName"], page["nextFileId"]
        if start is None:
            return


def unfinished_uploads(bucket: Bucket, prefix: str) -> Iterator[dict[str, Any]]:
    """Unfinished large files as Backblaze lists them: b2sdk's class omits when they were started."""
    start = None
    while True:
        page = bucket.api.session.list_unfinished_large_files(bucket.id_, start, _UNFINISHED, prefix)
        yield from page["files"]
        start = page["nextFileId"]
        if start is None:
            return
