"""The versions of the API: one store, shown in four formats."""

from collections.abc import Callable
from typing import Any

import pytest
import requests
from b2sdk.v3 import B2Api, Bucket

from devstack.emulator.credentials import Credentials
from tests.waiting import TIMEOUT

Call = Callable[..., Any]


def authorize(here: Credentials, version: int, key_id: str | None = None, key: str | None = None) -> Any:
    return requests.get(
        f"{here.realm}/b2api/v{version}/b2_authorize_account",
        auth=(key_id or here.key_id, key or here.application_key),
        timeout=TIMEOUT,
    ).json()


@pytest.mark.parametrize("version", [1, 2])
def test_flat_until_version_2(b2_here: Credentials, version: int) -> None:
    account = authorize(b2_here, version)
    assert (account["apiUrl"], account["downloadUrl"]) == (b2_here.realm, b2_here.realm)
    assert account["absoluteMinimumPartSize"] == 5_000_000
    assert account["allowed"]["bucketId"] is None
    assert ("minimumPartSize" in account) == (version == 1)


@pytest.mark.parametrize("version", [3, 4])
def test_nested_since_version_3(b2_here: Credentials, version: int) -> None:
    account = authorize(b2_here, version)
    storage = account["apiInfo"]["storageApi"]
    assert storage["apiUrl"] == b2_here.realm
    assert "apiUrl" not in account
    assert ("capabilities" in storage) == (version == 3)
    assert ("allowed" in storage) == (version == 4)


def test_keys_of_one_bucket(b2_here: Credentials, api: B2Api, bucket: Bucket) -> None:
    key = api.create_key(["listBuckets"], "one", bucket_ids=[bucket.id_])
    accounts = [authorize(b2_here, version, key.id_, key.application_key) for version in (1, 3, 4)]
    assert accounts[0]["allowed"]["bucketName"] == bucket.name
    assert accounts[1]["apiInfo"]["storageApi"]["bucketId"] == bucket.id_
    assert accounts[2]["apiInfo"]["storageApi"]["allowed"]["buckets"] == [{"id": bucket.id_, "name": bucket.name}]


def test_keys_of_several_buckets_need_version_4(b2_here: Credentials, api: B2Api, bucket: Bucket) -> None:
    other = api.create_bucket("another-bucket", "allPrivate")
    key = api.create_key(["listBuckets"], "two", bucket_ids=[bucket.id_, other.id_])
    assert authorize(b2_here, 3, key.id_, key.application_key)["code"] == "unsupported"
    allowed = authorize(b2_here, 4, key.id_, key.application_key)["apiInfo"]["storageApi"]["allowed"]
    assert [known["name"] for known in allowed["buckets"]] == [bucket.name, other.name]


def test_old_clients_make_keys_for_one_bucket(call: Call, bucket: Bucket) -> None:
    key = call("b2_create_key", 2, capabilities=["listBuckets"], keyName="old", bucketId=bucket.id_).json()
    assert key["bucketId"] == bucket.id_
    assert call("b2_list_keys").json()["keys"][0]["bucketIds"] == [bucket.id_]


def test_size_is_told_twice_in_version_1(call: Call, bucket: Bucket) -> None:
    bucket.upload_bytes(b"abc", "x")
    first = call("b2_list_file_names", 1, bucketId=bucket.id_).json()["files"][0]
    assert (first["size"], first["contentLength"]) == (3, 3)
    assert "size" not in call("b2_list_file_names", 2, bucketId=bucket.id_).json()["files"][0]


def test_calls_may_come_by_get(b2_here: Credentials, api: B2Api, bucket: Bucket) -> None:
    bucket.upload_bytes(b"abc", "x")
    response = requests.get(
        f"{b2_here.realm}/b2api/v3/b2_list_file_names",
        params={"bucketId": bucket.id_, "maxFileCount": "5"},
        headers={"Authorization": api.account_info.get_account_auth_token()},
        timeout=TIMEOUT,
    )
    assert [file["fileName"] for file in response.json()["files"]] == ["x"]


@pytest.mark.parametrize("version", [0, 5])
def test_other_versions_are_unknown(call: Call, version: int) -> None:
    assert call("b2_list_buckets", version).status_code == 400
