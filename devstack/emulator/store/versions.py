"""File versions in the index: uploads, hide markers and unfinished large files."""

import json
import secrets
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime
from mimetypes import MimeTypes

from devstack.emulator.emulator import now_millis
from devstack.emulator.errors import Json, not_found
from devstack.emulator.store.blobs import NewBlob, StoredPart

_AUTO_TYPE = "b2/x-auto"
_HIDE_TYPE = "application/x-bz-hide-marker"
# Python's own table, not the machine's: a name has the same type everywhere.
_TYPES = MimeTypes()
_TYPES.add_type("video/webm", ".webm")
_TYPES.add_type("text/vtt", ".vtt")


@dataclass(frozen=True)
class FileVersion:
    """One version of a name; `action` is `upload`, `hide` or `start` (a large file not finished yet)."""

    id: str
    bucket_id: str
    name: str
    action: str
    content_type: str | None
    content_sha1: str | None
    size: int
    info: dict[str, str]
    encryption: Json
    uploaded_at: int

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "FileVersion":
        """The version in a row of table `versions`."""
        return cls(
            id=row["id"],
            bucket_id=row["bucket_id"],
            name=row["name"],
            action=row["action"],
            content_type=row["content_type"],
            content_sha1=row["content_sha1"],
            size=row["size"],
            info=json.loads(row["info"]),
            encryption=json.loads(row["encryption"]),
            uploaded_at=row["uploaded_at"],
        )


def new_version_id(bucket_id: str, at: int, *, large: bool) -> str:
    """An id in B2's form: bucket, kind (f1 small, f2 large), day and time, cluster, and the milliseconds."""
    moment = datetime.fromtimestamp(at / 1000, UTC)
    kind = "f2" if large else "f1"
    return (
        f"4_z{bucket_id}_{kind}{secrets.token_hex(8)[1:]}_d{moment:%Y%m%d}_m{moment:%H%M%S}"
        f"_c000_v0000000_t0000_u{at:014d}"
    )


def hide_marker(bucket_id: str, name: str) -> FileVersion:
    """A version that hides the older ones of its name."""
    at = now_millis()
    version_id = new_version_id(bucket_id, at, large=False)
    return FileVersion(version_id, bucket_id, name, "hide", _HIDE_TYPE, None, 0, {}, {}, at)


def resolve_content_type(content_type: str, name: str) -> str:
    """`b2/x-auto` becomes the type of the name's extension."""
    if content_type != _AUTO_TYPE:
        return content_type
    return _TYPES.guess_type(name)[0] or "application/octet-stream"


def insert_version(sql: sqlite3.Connection, version: FileVersion) -> None:
    """Store a version."""
    sql.execute(
        "insert into versions (id, bucket_id, name, action, content_type, content_sha1, size, info, encryption,"
        " uploaded_at) values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        (
            version.id,
            version.bucket_id,
            version.name,
            version.action,
            version.content_type,
            version.content_sha1,
            version.size,
            json.dumps(version.info),
            json.dumps(version.encryption),
            version.uploaded_at,
        ),
    )


def insert_part(sql: sqlite3.Connection, version_id: str, number: int, blob: NewBlob) -> StoredPart:
    """Store the row of a part whose blob is complete."""
    part = StoredPart(number, blob.size, blob.sha1, blob.name, now_millis())
    sql.execute(
        "insert into parts (version_id, number, size, sha1, blob, uploaded_at) values (?, ?, ?, ?, ?, ?)",
        (version_id, part.number, part.size, part.sha1, part.blob, part.uploaded_at),
    )
    return part


def find_version(sql: sqlite3.Connection, version_id: str) -> FileVersion:
    """The version with this id; 404 when there is none."""
    row = sql.execute("select * from versions where id = ?", (version_id,)).fetchone()
    if row is None:
        raise not_found(f"File {version_id} does not exist")
    return FileVersion.from_row(row)


def find_latest(sql: sqlite3.Connection, bucket_id: str, name: str) -> FileVersion | None:
    """The newest finished version of a name, which may be a hide marker, or None."""
    row = sql.execute(
        "select * from versions where bucket_id = ? and name = ? and action <> 'start'"
        " order by uploaded_at desc, sequence desc limit 1",
        (bucket_id, name),
    ).fetchone()
    return FileVersion.from_row(row) if row else None


def list_stored_parts(sql: sqlite3.Connection, version_id: str) -> list[StoredPart]:
    """The parts of a version in order."""
    rows = sql.execute(
        "select number, size, sha1, blob, uploaded_at from parts where version_id = ? order by number",
        (version_id,),
    )
    return [StoredPart(*row) for row in rows]


def delete_version(sql: sqlite3.Connection, version_id: str) -> list[str]:
    """Delete a version; returns the blobs to remove once that is committed."""
    blobs = [part.blob for part in list_stored_parts(sql, version_id)]
    sql.execute("delete from versions where id = ?", (version_id,))
    return blobs
