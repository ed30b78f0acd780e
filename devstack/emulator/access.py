"""Authentication, and what an application key may do."""

import hashlib
import hmac
import json
import sqlite3
import time
from dataclasses import dataclass

from devstack.emulator.emulator import Emulator
from devstack.emulator.errors import B2Error, bad_auth_token, unauthorized

CAPABILITIES = (
    "listKeys", "writeKeys", "deleteKeys",
    "listBuckets", "listAllBucketNames", "readBuckets", "writeBuckets", "deleteBuckets",
    "readBucketEncryption", "writeBucketEncryption", "readBucketRetentions", "writeBucketRetentions",
    "readBucketReplications", "writeBucketReplications", "readBucketNotifications", "writeBucketNotifications",
    "readFileRetentions", "writeFileRetentions", "readFileLegalHolds", "writeFileLegalHolds", "bypassGovernance",
    "listFiles", "readFiles", "shareFiles", "writeFiles", "deleteFiles",
)  # fmt: skip


@dataclass(frozen=True)
class Key:
    """An application key; None for `bucket_ids`, `name_prefix` and `expires_at` (seconds) means no limit."""

    id: str
    name: str
    capabilities: tuple[str, ...]
    bucket_ids: tuple[str, ...] | None = None
    name_prefix: str | None = None
    expires_at: float | None = None

    def allows(self, capability: str) -> bool:
        """Whether the key has this capability, anywhere."""
        return capability in self.capabilities

    def permit(self, capability: str, bucket_id: str | None = None, name: str | None = None) -> None:
        """Raise `unauthorized` unless the key has `capability`, in this bucket and for this file name (or prefix)."""
        if not self.allows(capability):
            raise unauthorized(f"the key lacks the capability {capability}")
        if bucket_id is not None and self.bucket_ids is not None and bucket_id not in self.bucket_ids:
            raise unauthorized("the key is restricted to other buckets")
        if name is not None and self.name_prefix is not None and not name.startswith(self.name_prefix):
            raise unauthorized("the key is restricted to another file name prefix")


def digest(secret: str) -> str:
    """The digest of a secret; the secret itself is not stored."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_from_row(row: sqlite3.Row) -> Key:
    """The key in a row of table `keys`."""
    bucket_ids = row["bucket_ids"]
    return Key(
        id=row["id"],
        name=row["name"],
        capabilities=tuple(json.loads(row["capabilities"])),
        bucket_ids=None if bucket_ids is None else tuple(json.loads(bucket_ids)),
        name_prefix=row["name_prefix"],
        expires_at=row["expires_at"],
    )


def authenticate(emulator: Emulator, key_id: str, secret: str) -> Key:
    """The key with this id and secret; `bad_auth_token` when either is wrong."""
    if key_id == emulator.secrets.key_id:
        stored = digest(emulator.secrets.application_key)
    else:
        with emulator.index.transaction() as sql:
            row = sql.execute("select secret_digest from keys where id = ?", (key_id,)).fetchone()
        stored = row["secret_digest"] if row else ""
    if not hmac.compare_digest(stored, digest(secret)):
        raise bad_auth_token("Invalid applicationKeyId or applicationKey")
    return find_key(emulator, key_id)


def find_key(emulator: Emulator, key_id: str) -> Key:
    """The key with this id; 401 once it is deleted or expired."""
    if key_id == emulator.secrets.key_id:
        return Key(key_id, "Master Application Key", CAPABILITIES)
    with emulator.index.transaction() as sql:
        row = sql.execute("select * from keys where id = ?", (key_id,)).fetchone()
    if row is None:
        raise bad_auth_token()
    key = key_from_row(row)
    if key.expires_at is not None and key.expires_at <= time.time():
        raise bad_auth_token("The application key has expired")
    return key


def open_account_token(emulator: Emulator, token: str | None) -> Key:
    """The key that an account authorization token was issued for."""
    if not token:
        raise B2Error(401, "missing_auth_token", "The Authorization header is missing")
    return find_key(emulator, emulator.tokens.open(token, "account")["key"])
