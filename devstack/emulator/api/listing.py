"""Pages of file names and file versions, ordered by their UTF-8 bytes, grouped into folders by a delimiter."""

import sqlite3
from collections.abc import Iterator

from devstack.emulator.api.call import Call
from devstack.emulator.api.documents import version_as_json
from devstack.emulator.errors import Json, bad_request
from devstack.emulator.store.bucket_records import find_bucket
from devstack.emulator.store.versions import FileVersion

_MAX_COUNT = 10_000
_DEFAULT_COUNT = 100
_FROM_NAME = "select * from versions where bucket_id = ? and name >= ? order by name, uploaded_at desc, sequence desc"


def list_file_names(call: Call) -> Json:
    """b2_list_file_names: the newest version of each name that is not hidden."""
    page, following = _page(call, call.parameters.optional_text("startFileName"), None, newest_only=True)
    return {"files": page, "nextFileName": following and following["fileName"]}


def list_file_versions(call: Call) -> Json:
    """b2_list_file_versions: every version, hide marker and unfinished large file, newest first."""
    start, start_id = call.parameters.optional_text("startFileName"), call.parameters.optional_text("startFileId")
    if start_id is not None and start is None:
        raise bad_request("startFileId needs a startFileName")
    page, following = _page(call, start, start_id, newest_only=False)
    return {
        "files": page,
        "nextFileName": following and following["fileName"],
        "nextFileId": following and following["fileId"],
    }


def _page(call: Call, start: str | None, start_id: str | None, *, newest_only: bool) -> tuple[list[Json], Json | None]:
    """At most `maxFileCount` entries, and the one that follows them."""
    bucket_id = call.parameters.text("bucketId")
    count = call.parameters.integer("maxFileCount", 1, _MAX_COUNT, _DEFAULT_COUNT, refusal="out_of_range")
    prefix = call.parameters.optional_text("prefix") or ""
    call.key.permit("listFiles", bucket_id, prefix)
    with call.emulator.index.transaction() as sql:
        find_bucket(sql, bucket_id)
        versions = _versions(sql, bucket_id, prefix, max(start or "", prefix, key=str.encode))
        if start_id is not None:
            versions = _skip_to(versions, start or "", start_id)
        if newest_only:
            versions = _newest(versions)
        entries: list[Json] = []
        for entry in _fold(call, versions, prefix, call.parameters.optional_text("delimiter")):
            if len(entries) == count:
                return entries, entry
            entries.append(entry)
        return entries, None


def _versions(sql: sqlite3.Connection, bucket_id: str, prefix: str, start: str) -> Iterator[FileVersion]:
    for row in sql.execute(_FROM_NAME, (bucket_id, start)):
        # SQLite orders text by its UTF-8 bytes, so names with one prefix are adjacent.
        if not row["name"].startswith(prefix):
            return
        yield FileVersion.from_row(row)


def _skip_to(versions: Iterator[FileVersion], name: str, version_id: str) -> Iterator[FileVersion]:
    """The versions from the one with this id; if that was deleted meanwhile, from the next name."""
    for version in versions:
        if version.name != name or version.id == version_id:
            yield version
            yield from versions
            return


def _newest(versions: Iterator[FileVersion]) -> Iterator[FileVersion]:
    seen = None
    for version in versions:
        if version.action == "start" or version.name == seen:
            continue
        seen = version.name
        if version.action == "upload":
            yield version


def _fold(call: Call, versions: Iterator[FileVersion], prefix: str, delimiter: str | None) -> Iterator[Json]:
    """The versions as JSON; those with a further delimiter after the prefix become one folder each."""
    last_folder = None
    for version in versions:
        folder = _folder_name(version.name, prefix, delimiter)
        if folder is None:
            yield version_as_json(version, call.reader)
        elif folder != last_folder:
            last_folder = folder
            yield _folder(call, version.bucket_id, folder)


def _folder_name(name: str, prefix: str, delimiter: str | None) -> str | None:
    if not delimiter:
        return None
    head, separator, _ = name.removeprefix(prefix).partition(delimiter)
    return prefix + head + separator if separator else None


def _folder(call: Call, bucket_id: str, name: str) -> Json:
    return {
        "accountId": call.emulator.account_id,
        "action": "folder",
        "bucketId": bucket_id,
        "contentLength": 0,
        "contentMd5": None,
        "contentSha1": None,
        "contentType": None,
        "fileId": None,
        "fileInfo": {},
        "fileName": name,
        "size": 0,
        "uploadTimestamp": 0,
    }
