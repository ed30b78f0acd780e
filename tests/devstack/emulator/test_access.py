"""Authentication: keys and their restrictions, tokens and their expiry."""

import time
from collections.abc import Callable
from typing import Any

import pytest
import requests
from b2sdk.v3 import B2Api, Bucket
from b2sdk.v3.exception import InvalidAuthToken, RestrictedBucket, Unauthorized

from devstack.emulator.credentials import Credentials
from tests.devstack.emulator.conftest import Serve
from tests.waiting import TIMEOUT

Call = Callable[..., Any]


@pytest.mark.parametrize("which", ["id", "key"])
def test_wrong_credentials(b2_here: Credentials, connect: Callable[..., B2Api], which: str) -> None:
    wrong = {"key_id": "0" * 12} if which == "id" else {"key": "K000wrong"}
    with pytest.raises(InvalidAuthToken, match="bad_auth_token"):
        connect(b2_here, **wrong)


@pytest.mark.parametrize("header", ["", "Basic", "Basic !!!", "Basic YWJj", "Bearer YTpi"])
def test_unreadable_credentials(b2_here: Credentials, header: str) -> None:
    url = f"{b2_here.realm}/b2api/v4/b2_authorize_account"
    assert requests.get(url, headers={"Authorization": header}, timeout=TIMEOUT).status_code == 401


@pytest.mark.parametrize("token", ["", "4_nonsense", "4_e30.abc", "\xff"])
def test_forged_tokens(b2_here: Credentials, call: Call, token: str) -> None:
    url = f"{b2_here.realm}/b2api/v4/b2_list_buckets"
    response = requests.post(url, json={}, headers={"Authorization": token.encode("latin-1")}, timeout=TIMEOUT)
    assert response.status_code == 401


def test_a_token_of_another_kind_is_refused(bucket: Bucket, call: Call) -> None:
    upload = bucket.api.session.get_upload_url(bucket.id_)["authorizationToken"]
    assert call("b2_list_buckets", token=upload).json()["code"] == "bad_auth_token"


def test_account_tokens_end_and_the_library_takes_another(serve: Serve, connect: Callable[..., B2Api]) -> None:
    here = serve(account_seconds=1)
    bucket = connect(here).get_bucket_by_name(here.bucket)
    old = bucket.api.account_info.get_account_auth_token()
    time.sleep(1.1)
    url = f"{here.realm}/b2api/v4/b2_list_buckets"
    response = requests.post(url, json={}, headers={"Authorization": old}, timeout=TIMEOUT)
    assert (response.status_code, response.json()["code"]) == (401, "expired_auth_token")
    assert list(bucket.ls()) == []
    assert bucket.api.account_info.get_account_auth_token() != old


def test_upload_tokens_end_and_the_library_takes_another(serve: Serve, connect: Callable[..., B2Api]) -> None:
    here = serve(upload_seconds=0.5)
    bucket = connect(here).get_bucket_by_name(here.bucket)
    bucket.upload_bytes(b"1", "x")
    time.sleep(0.6)
    assert bucket.upload_bytes(b"2", "x").size == 1


def test_private_needs_a_token_and_public_does_not(bucket: Bucket) -> None:
    bucket.upload_bytes(b"x", "x")
    url = bucket.get_download_url("x")
    response = requests.get(url, timeout=TIMEOUT)
    assert (response.status_code, response.json()["code"]) == (401, "unauthorized")
    bucket.update(bucket_type="allPublic")
    assert requests.get(url, timeout=TIMEOUT).content == b"x"
    assert requests.get(bucket.get_download_url("nothing"), timeout=10).json()["code"] == "not_found"


def test_download_token_opens_its_prefix_until_its_end(bucket: Bucket) -> None:
    for name in ("rec/1/a", "rec/1/b/c", "rec/10/a"):
        bucket.upload_bytes(b"x", name)
    token = bucket.get_download_authorization("rec/1/", 1)

    def status(name: str, **query: str) -> int:
        return requests.get(bucket.get_download_url(name), params=query, timeout=TIMEOUT).status_code

    assert [status(name, Authorization=token) for name in ("rec/1/a", "rec/1/b/c", "rec/10/a")] == [200, 200, 401]
    assert status("rec/1/nothing", Authorization=token) == 404
    time.sleep(1.1)
    assert status("rec/1/a", Authorization=token) == 401


def test_download_token_opens_nothing_by_id(bucket: Bucket) -> None:
    version = bucket.upload_bytes(b"x", "x")
    url = bucket.api.get_download_url_for_fileid(version.id_)
    token = bucket.get_download_authorization("", 60)
    assert requests.get(url, headers={"Authorization": token}, timeout=TIMEOUT).status_code == 401


@pytest.mark.parametrize("seconds", [0, 604_801, -1])
def test_download_token_has_bounds(call: Call, bucket: Bucket, seconds: int) -> None:
    response = call(
        "b2_get_download_authorization", bucketId=bucket.id_, fileNamePrefix="", validDurationInSeconds=seconds
    )
    assert response.status_code == 400


def test_download_token_can_demand_a_header(call: Call, bucket: Bucket) -> None:
    bucket.upload_bytes(b"x", "x")
    demands = {"b2ContentDisposition": "attachment"}
    token = call(
        "b2_get_download_authorization",
        bucketId=bucket.id_,
        fileNamePrefix="",
        validDurationInSeconds=60,
        **demands,
    ).json()["authorizationToken"]
    url, query = bucket.get_download_url("x"), {"Authorization": token}
    assert requests.get(url, params=query, timeout=TIMEOUT).status_code == 401
    assert requests.get(url, params={**query, **demands}, timeout=TIMEOUT).status_code == 200


def test_a_key_does_only_what_it_may(
    api: B2Api, bucket: Bucket, b2_here: Credentials, connect: Callable[..., B2Api]
) -> None:
    bucket.upload_bytes(b"x", "rec/x")
    bucket.upload_bytes(b"y", "other/y")
    other = api.create_bucket("another-bucket", "allPrivate")
    key = api.create_key(
        ["listBuckets", "listFiles", "readFiles"], "reader", bucket_ids=[bucket.id_], name_prefix="rec/"
    )
    limited = connect(b2_here, key.id_, key.application_key)
    own = limited.get_bucket_by_name(bucket.name)
    assert [version.file_name for version, _ in own.ls("rec/")] == ["rec/x"]
    assert own.get_file_info_by_name("rec/x").size == 1
    with pytest.raises(RestrictedBucket):
        limited.get_bucket_by_name(other.name)
    for forbidden in (
        lambda: list(own.ls()),
        lambda: own.get_file_info_by_name("other/y"),
        lambda: limited.session.get_upload_url(bucket.id_),
        lambda: own.hide_file("rec/x"),
        lambda: own.get_download_authorization("rec/", 60),
        lambda: limited.session.list_file_names(other.id_),
        lambda: limited.create_bucket("third-bucket", "allPrivate"),
        lambda: limited.session.list_buckets(limited.get_account_id()),
        lambda: list(limited.list_keys()),
    ):
        with pytest.raises(Unauthorized):
            forbidden()


def test_upload_token_keeps_the_limits_of_its_key(
    api: B2Api, bucket: Bucket, b2_here: Credentials, connect: Callable[..., B2Api]
) -> None:
    key = api.create_key(["listBuckets", "writeFiles"], "writer", bucket_ids=[bucket.id_], name_prefix="rec/")
    own = connect(b2_here, key.id_, key.application_key).get_bucket_by_name(bucket.name)
    assert own.upload_bytes(b"x", "rec/x").file_name == "rec/x"
    with pytest.raises(Exception, match="unauthorized"):
        own.upload_bytes(b"x", "other/x")


def test_keys_are_listed_and_end(api: B2Api, b2_here: Credentials, connect: Callable[..., B2Api]) -> None:
    lasting = api.create_key(["listBuckets"], "kept")
    brief = api.create_key(["listBuckets"], "brief", valid_duration_seconds=1)
    limited = connect(b2_here, brief.id_, brief.application_key)
    assert {key.key_name for key in api.list_keys()} == {"kept", "brief"}
    time.sleep(1.1)
    assert {key.key_name for key in api.list_keys()} == {"kept"}
    with pytest.raises(InvalidAuthToken):
        limited.list_buckets()
    api.delete_key(lasting)
    assert list(api.list_keys()) == []
    with pytest.raises(InvalidAuthToken):
        connect(b2_here, lasting.id_, lasting.application_key)


def test_a_key_cannot_give_more_than_it_has(api: B2Api, b2_here: Credentials, connect: Callable[..., B2Api]) -> None:
    key = api.create_key(["writeKeys", "listBuckets"], "maker")
    maker = connect(b2_here, key.id_, key.application_key)
    assert maker.create_key(["listBuckets"], "child").capabilities == ["listBuckets"]
    with pytest.raises(Unauthorized):
        maker.create_key(["deleteFiles"], "child")


def test_secrets_are_for_the_owner_only(api: B2Api, tmp_path: Any) -> None:
    key = api.create_key(["listBuckets"], "made")
    assert (tmp_path / "b2").stat().st_mode & 0o077 == 0
    assert (tmp_path / "b2" / "credentials.json").stat().st_mode & 0o777 == 0o600
    stored = b"".join(path.read_bytes() for path in (tmp_path / "b2").glob("index*"))
    assert key.application_key.encode() not in stored
