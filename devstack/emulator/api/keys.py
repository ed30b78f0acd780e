"""The calls that create, list and delete application keys. Only a digest of a secret is stored."""

import json
import re
import secrets
import time

from devstack.emulator.access import CAPABILITIES, Key, digest, key_from_row
from devstack.emulator.api.call import Call
from devstack.emulator.errors import Json, bad_request
from devstack.emulator.store.bucket_records import find_bucket

_NAME = re.compile(r"[A-Za-z0-9-]{1,100}")
_MAX_SECONDS = 86_400_000
_MAX_COUNT = 10_000


def create_key(call: Call) -> Json:
    """b2_create_key: the only response with the secret. A key cannot grant a capability that it lacks."""
    call.key.permit("writeKeys")
    key, secret = _new_key(call), "K000" + secrets.token_urlsafe(20)
    with call.emulator.index.transaction() as sql:
        for bucket_id in key.bucket_ids or ():
            find_bucket(sql, bucket_id)
        sql.execute(
            "insert into keys (id, secret_digest, name, capabilities, bucket_ids, name_prefix, expires_at)"
            " values (?, ?, ?, ?, ?, ?, ?)",
            (
                key.id,
                digest(secret),
                key.name,
                json.dumps(key.capabilities),
                None if key.bucket_ids is None else json.dumps(key.bucket_ids),
                key.name_prefix,
                key.expires_at,
            ),
        )
    return {**_as_json(call, key), "applicationKey": secret}


def list_keys(call: Call) -> Json:
    """b2_list_keys: ordered by id, without expired ones."""
    call.key.permit("listKeys")
    count = call.parameters.integer("maxKeyCount", 1, _MAX_COUNT, 100)
    start = call.parameters.optional_text("startApplicationKeyId") or ""
    with call.emulator.index.transaction() as sql:
        rows = sql.execute(
            "select * from keys where id >= ? and (expires_at is null or expires_at > ?) order by id limit ?",
            (start, time.time(), count + 1),
        ).fetchall()
    keys = [key_from_row(row) for row in rows]
    following = keys[count].id if len(keys) > count else None
    return {"keys": [_as_json(call, key) for key in keys[:count]], "nextApplicationKeyId": following}


def delete_key(call: Call) -> Json:
    """b2_delete_key: its tokens become invalid at once."""
    call.key.permit("deleteKeys")
    key_id = call.parameters.text("applicationKeyId")
    with call.emulator.index.transaction() as sql:
        row = sql.execute("select * from keys where id = ?", (key_id,)).fetchone()
        if row is None:
            raise bad_request(f"Application key {key_id} does not exist")
        sql.execute("delete from keys where id = ?", (key_id,))
    return _as_json(call, key_from_row(row))


def _new_key(call: Call) -> Key:
    name = call.parameters.text("keyName")
    if not _NAME.fullmatch(name):
        raise bad_request("keyName has 1 to 100 letters, digits and hyphens")
    capabilities = tuple(call.parameters.texts("capabilities") or ())
    if not capabilities or not set(CAPABILITIES).issuperset(capabilities):
        raise bad_request("capabilities must be some of " + ", ".join(CAPABILITIES))
    for capability in capabilities:
        call.key.permit(capability)
    expires_at = None
    if "validDurationInSeconds" in call.parameters:
        expires_at = time.time() + call.parameters.integer("validDurationInSeconds", 1, _MAX_SECONDS)
    return Key(
        id=f"000{call.emulator.account_id}{time.time_ns() // 1000 % 10**10:010d}",
        name=name,
        capabilities=capabilities,
        bucket_ids=_bucket_ids(call),
        name_prefix=call.parameters.optional_text("namePrefix"),
        expires_at=expires_at,
    )


def _bucket_ids(call: Call) -> tuple[str, ...] | None:
    """`bucketIds` since version 4, `bucketId` before."""
    several = call.parameters.texts("bucketIds")
    if several is not None:
        return tuple(several) or None
    bucket_id = call.parameters.optional_text("bucketId")
    return (bucket_id,) if bucket_id else None


def _as_json(call: Call, key: Key) -> Json:
    document: Json = {
        "accountId": call.emulator.account_id,
        "applicationKeyId": key.id,
        "capabilities": list(key.capabilities),
        "expirationTimestamp": None if key.expires_at is None else int(key.expires_at * 1000),
        "keyName": key.name,
        "namePrefix": key.name_prefix,
        "options": ["s3"],
    }
    if call.version >= 4:
        return {**document, "bucketIds": None if key.bucket_ids is None else list(key.bucket_ids)}
    return {**document, "bucketId": key.bucket_ids[0] if key.bucket_ids else None}
