"""Buckets: created, updated (also concurrently), and deleted when empty."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from b2sdk.v3 import SSE_B2_AES, B2Api, Bucket
from b2sdk.v3.exception import Conflict, DuplicateBucketName

from tests.waiting import TIMEOUT

RULE = {
    "fileNamePrefix": "",
    "daysFromHidingToDeleting": 1,
    "daysFromUploadingToHiding": None,
    "daysFromStartingToCancelingUnfinishedLargeFiles": 2,
}
CORS = {
    "corsRuleName": "pages",
    "allowedOrigins": ["https://*.example.org"],
    "allowedOperations": ["b2_download_file_by_name"],
    "allowedHeaders": ["range"],
    "exposeHeaders": ["content-range"],
    "maxAgeSeconds": 60,
}

Call = Callable[..., Any]


def test_the_first_bucket_is_there_and_private(bucket: Bucket) -> None:
    assert bucket.type_ == "allPrivate"


def test_what_is_told_about_a_bucket_is_kept(api: B2Api) -> None:
    api.create_bucket(
        "my-bucket",
        "allPublic",
        bucket_info={"a": "b"},
        cors_rules=[CORS],
        lifecycle_rules=[RULE],
        default_server_side_encryption=SSE_B2_AES,
    )
    stored_bucket = api.list_buckets(bucket_name="my-bucket")[0]
    assert (stored_bucket.type_, stored_bucket.bucket_info, stored_bucket.revision) == ("allPublic", {"a": "b"}, 1)
    assert (stored_bucket.cors_rules, stored_bucket.lifecycle_rules) == ([CORS], [RULE])
    assert stored_bucket.default_server_side_encryption == SSE_B2_AES
    assert stored_bucket.upload_bytes(b"x", "x").server_side_encryption == SSE_B2_AES
    assert [known.name for known in api.list_buckets()] == ["emulator", "my-bucket"]


def test_two_changes_at_once_are_noticed(bucket: Bucket) -> None:
    changed = bucket.update(lifecycle_rules=[RULE], if_revision_is=bucket.revision)
    assert (changed.revision, changed.lifecycle_rules) == (bucket.revision + 1, [RULE])
    with pytest.raises(Conflict):
        bucket.update(lifecycle_rules=[], if_revision_is=bucket.revision)


@pytest.mark.parametrize("name", ["EMULATOR", "emulator"])
def test_names_are_unique_whatever_their_case(api: B2Api, name: str) -> None:
    with pytest.raises(DuplicateBucketName):
        api.create_bucket(name, "allPrivate")


@pytest.mark.parametrize(
    "wrong",
    [
        {"bucketName": "short"},
        {"bucketName": "b2-reserved"},
        {"bucketName": "under_score"},
        {"bucketType": "snapshot"},
        {"fileLockEnabled": True},
        {"lifecycleRules": [{"fileNamePrefix": ""}]},
        {"lifecycleRules": [{**RULE, "daysFromHidingToDeleting": 0}]},
        {"lifecycleRules": [RULE, RULE]},
        {"lifecycleRules": "none"},
        {"corsRules": [{**CORS, "allowedOperations": ["everything"]}]},
        {"corsRules": [{**CORS, "allowedOrigins": []}]},
        {"corsRules": [{**CORS, "maxAgeSeconds": 86_401}]},
        {"bucketInfo": {"a": 1}},
        {"bucketName": "lone-surrogate\ud800"},
    ],
)
def test_wrong_values_are_refused(call: Call, wrong: dict[str, Any]) -> None:
    response = call("b2_create_bucket", **{"bucketName": "my-bucket", "bucketType": "allPrivate", **wrong})
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


def test_only_an_empty_bucket_is_deleted(api: B2Api, call: Call) -> None:
    stored_bucket = api.create_bucket("my-bucket", "allPrivate")
    stored_bucket.upload_bytes(b"x", "x")
    stored_bucket.hide_file("x")
    response = call("b2_delete_bucket", bucketId=stored_bucket.id_)
    assert (response.status_code, response.json()["code"]) == (400, "cannot_delete_non_empty_bucket")
    for version in stored_bucket.list_file_versions("x"):
        api.delete_file_version(version.id_, "x")
    api.delete_bucket(stored_bucket)
    assert [known.name for known in api.list_buckets()] == ["emulator"]
    assert call("b2_list_file_names", bucketId=stored_bucket.id_).json()["code"] == "bad_bucket_id"


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b"[" * 100_000, b'"x"'])
def test_bodies_that_are_no_object(api: B2Api, body: bytes) -> None:
    info = api.account_info
    headers = {"Authorization": info.get_account_auth_token()}
    response = requests.post(f"{info.get_api_url()}/b2api/v4/b2_list_buckets", body, headers=headers, timeout=TIMEOUT)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


@pytest.mark.parametrize("name", ["b2_update_file_legal_hold", "b2_nonsense", "b2_set_bucket_notification_rules"])
def test_unknown_calls(call: Call, name: str) -> None:
    assert call(name).json()["code"] == "bad_request"
