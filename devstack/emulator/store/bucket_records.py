"""Buckets as rows of the index."""

import json
import secrets
import sqlite3
from dataclasses import dataclass, replace

from devstack.emulator.emulator import Emulator
from devstack.emulator.errors import B2Error, Json
from devstack.emulator.store.encryption import NO_ENCRYPTION
from devstack.emulator.store.names import check_bucket_name


@dataclass(frozen=True)
class Bucket:
    """A stored bucket; `revision` increases with every change."""

    id: str
    name: str
    type: str
    info: dict[str, str]
    cors_rules: list[Json]
    lifecycle_rules: list[Json]
    encryption: Json
    revision: int

    @property
    def is_public(self) -> bool:
        """Whether anyone may download without a token."""
        return self.type == "allPublic"

    @classmethod
    def from_row(cls, row: sqlite3.Row) -> "Bucket":
        """The bucket in a row of table `buckets`."""
        return cls(
            id=row["id"],
            name=row["name"],
            type=row["type"],
            info=json.loads(row["info"]),
            cors_rules=json.loads(row["cors_rules"]),
            lifecycle_rules=json.loads(row["lifecycle_rules"]),
            encryption=json.loads(row["encryption"]),
            revision=row["revision"],
        )


def find_bucket(sql: sqlite3.Connection, bucket_id: str) -> Bucket:
    """The bucket with this id; `bad_bucket_id` when there is none."""
    row = sql.execute("select * from buckets where id = ?", (bucket_id,)).fetchone()
    if row is None:
        raise B2Error(400, "bad_bucket_id", f"Bucket {bucket_id} does not exist")
    return Bucket.from_row(row)


def find_bucket_by_name(sql: sqlite3.Connection, name: str) -> Bucket | None:
    """The bucket with this name, or None."""
    row = sql.execute("select * from buckets where name = ?", (name,)).fetchone()
    return Bucket.from_row(row) if row else None


def bucket_name(emulator: Emulator, bucket_id: str) -> str | None:
    """The name of a bucket, None once it is deleted (a key may outlive its bucket)."""
    with emulator.index.transaction() as sql:
        row = sql.execute("select name from buckets where id = ?", (bucket_id,)).fetchone()
    return row["name"] if row else None


def new_bucket(name: str) -> Bucket:
    """A private bucket with a new id, not stored yet."""
    return Bucket(secrets.token_hex(12), check_bucket_name(name), "allPrivate", {}, [], [], NO_ENCRYPTION, 1)


DEFAULT_BUCKET = "emulator"
# Any page may read files in ranges, as players do.
_READ_FROM_ANYWHERE: Json = {
    "corsRuleName": "read-from-anywhere",
    "allowedOrigins": ["*"],
    "allowedOperations": ["b2_download_file_by_name"],
    "allowedHeaders": ["range"],
    "exposeHeaders": ["accept-ranges", "content-range", "content-length"],
    "maxAgeSeconds": 3600,
}


def ensure_private_bucket(emulator: Emulator, name: str) -> None:
    """Create the bucket `name` unless it exists; pages of any origin may read from it with a token."""
    with emulator.index.transaction() as sql:
        if find_bucket_by_name(sql, name) is None:
            insert_bucket(sql, replace(new_bucket(name), cors_rules=[_READ_FROM_ANYWHERE]))


def insert_bucket(sql: sqlite3.Connection, bucket: Bucket) -> None:
    """Store a new bucket."""
    sql.execute(
        "insert into buckets (type, info, cors_rules, lifecycle_rules, encryption, revision, id, name)"
        " values (?, ?, ?, ?, ?, ?, ?, ?)",
        (*_changeable(bucket), bucket.id, bucket.name),
    )


def update_bucket_row(sql: sqlite3.Connection, bucket: Bucket) -> None:
    """Store everything about a bucket except its id and name, which never change."""
    sql.execute(
        "update buckets set type = ?, info = ?, cors_rules = ?, lifecycle_rules = ?, encryption = ?, revision = ?"
        " where id = ?",
        (*_changeable(bucket), bucket.id),
    )


def _changeable(bucket: Bucket) -> tuple[object, ...]:
    return (
        bucket.type,
        json.dumps(bucket.info),
        json.dumps(bucket.cors_rules),
        json.dumps(bucket.lifecycle_rules),
        json.dumps(bucket.encryption),
        bucket.revision,
    )
