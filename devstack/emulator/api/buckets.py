"""The calls that create, update, list and delete buckets."""

from devstack.emulator.access import Key
from devstack.emulator.api.call import Call
from devstack.emulator.api.parameters import Parameters
from devstack.emulator.errors import B2Error, Json, bad_request, unauthorized
from devstack.emulator.store.bucket_records import (
    Bucket,
    find_bucket,
    find_bucket_by_name,
    insert_bucket,
    new_bucket,
    update_bucket_row,
)
from devstack.emulator.store.encryption import chosen_encryption
from devstack.emulator.store.names import check_file_info
from devstack.emulator.store.rules import check_cors_rules, check_lifecycle_rules

_TYPES = ("allPrivate", "allPublic")


def create_bucket(call: Call) -> Json:
    """b2_create_bucket."""
    call.key.permit("writeBuckets")
    if call.key.bucket_ids is not None:
        raise unauthorized("a key that is restricted to buckets cannot make another")
    call.parameters.text("bucketType")
    bucket = _updated(new_bucket(call.parameters.text("bucketName")), call.parameters, revision=1)
    with call.emulator.index.transaction() as sql:
        if find_bucket_by_name(sql, bucket.name):
            raise B2Error(400, "duplicate_bucket_name", "Bucket name is already in use.")
        insert_bucket(sql, bucket)
    return _as_json(bucket, call)


def update_bucket(call: Call) -> Json:
    """b2_update_bucket; `ifRevisionIs` detects a concurrent update."""
    bucket_id = call.parameters.text("bucketId")
    call.key.permit("writeBuckets", bucket_id)
    with call.emulator.index.transaction() as sql:
        bucket = find_bucket(sql, bucket_id)
        if "ifRevisionIs" in call.parameters:
            expected = call.parameters.integer("ifRevisionIs", 0, 2**53)
            if expected != bucket.revision:
                raise B2Error(409, "conflict", f"The bucket's revision is {bucket.revision}, not {expected}")
        bucket = _updated(bucket, call.parameters, revision=bucket.revision + 1)
        update_bucket_row(sql, bucket)
    return _as_json(bucket, call)


def delete_bucket(call: Call) -> Json:
    """b2_delete_bucket: it must be empty, and an unfinished large file counts as content."""
    bucket_id = call.parameters.text("bucketId")
    call.key.permit("deleteBuckets", bucket_id)
    with call.emulator.index.transaction() as sql:
        bucket = find_bucket(sql, bucket_id)
        if sql.execute("select 1 from versions where bucket_id = ? limit 1", (bucket_id,)).fetchone():
            raise B2Error(400, "cannot_delete_non_empty_bucket", "Cannot delete non-empty bucket")
        sql.execute("delete from buckets where id = ?", (bucket_id,))
    return _as_json(bucket, call)


def list_buckets(call: Call) -> Json:
    """b2_list_buckets; a key restricted to buckets must name one of them, unless it may list all names."""
    bucket_id = call.parameters.optional_text("bucketId")
    name = call.parameters.optional_text("bucketName")
    types = call.parameters.texts("bucketTypes") or ["all"]
    if not call.key.allows("listAllBucketNames"):
        call.key.permit("listBuckets")
    with call.emulator.index.transaction() as sql:
        rows = sql.execute("select * from buckets order by name").fetchall()
    buckets = [
        bucket
        for bucket in map(Bucket.from_row, rows)
        if bucket_id in (None, bucket.id)
        and (name is None or name.lower() == bucket.name.lower())
        and ("all" in types or bucket.type in types)
    ]
    if not call.key.allows("listAllBucketNames"):
        _check_restriction(call.key, buckets, is_filtered=bool(bucket_id or name))
    return {"buckets": [_as_json(bucket, call) for bucket in buckets]}


def _check_restriction(key: Key, buckets: list[Bucket], *, is_filtered: bool) -> None:
    if key.bucket_ids is None:
        return
    if not is_filtered or any(bucket.id not in key.bucket_ids for bucket in buckets):
        raise unauthorized("the key is restricted to certain buckets")


def _updated(bucket: Bucket, parameters: Parameters, *, revision: int) -> Bucket:
    """`bucket` with the values of the parameters."""
    if parameters.object("replicationConfiguration") or parameters.object("defaultRetention"):
        raise bad_request("This emulator supports neither replication nor retention.")
    if parameters.flag("fileLockEnabled"):
        raise bad_request("This emulator does not support file lock.")
    type_ = parameters.optional_text("bucketType") or bucket.type
    if type_ not in _TYPES:
        raise bad_request(f"bucketType must be one of {', '.join(_TYPES)}")
    info, cors = parameters.mapping("bucketInfo"), parameters.objects("corsRules")
    lifecycle = parameters.objects("lifecycleRules")
    return Bucket(
        id=bucket.id,
        name=bucket.name,
        type=type_,
        info=bucket.info if info is None else check_file_info(info),
        cors_rules=bucket.cors_rules if cors is None else check_cors_rules(cors),
        lifecycle_rules=bucket.lifecycle_rules if lifecycle is None else check_lifecycle_rules(lifecycle),
        encryption=chosen_encryption(parameters.object("defaultServerSideEncryption"), bucket.encryption),
        revision=revision,
    )


def _as_json(bucket: Bucket, call: Call) -> Json:
    def readable(capability: str, value: Json) -> Json:
        allowed = call.key.allows(capability)
        return {"isClientAuthorizedToRead": allowed, "value": value if allowed else None}

    lock = {"isFileLockEnabled": False, "defaultRetention": {"mode": None, "period": None}}
    replication = {"asReplicationSource": None, "asReplicationDestination": None}
    return {
        "accountId": call.emulator.account_id,
        "bucketId": bucket.id,
        "bucketInfo": bucket.info,
        "bucketName": bucket.name,
        "bucketType": bucket.type,
        "corsRules": bucket.cors_rules,
        "defaultServerSideEncryption": readable("readBucketEncryption", bucket.encryption),
        "fileLockConfiguration": readable("readBucketRetentions", lock),
        "lifecycleRules": bucket.lifecycle_rules,
        "options": ["s3"],
        "replicationConfiguration": readable("readBucketReplications", replication),
        "revision": bucket.revision,
    }
