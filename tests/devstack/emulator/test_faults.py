"""Failures requested by X-Bz-Test-Mode, and those that B2 itself has."""

import http.client
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import requests
from b2sdk.v3 import B2Api, Bucket
from b2sdk.v3.exception import InvalidAuthToken, StorageCapExceeded, TransactionCapExceeded

from devstack.emulator.credentials import Credentials
from tests.waiting import TIMEOUT


def test_some_uploads_fail(b2_here: Credentials, bucket: Bucket) -> None:
    upload = bucket.api.session.get_upload_url(bucket.id_)
    headers = {
        "Authorization": upload["authorizationToken"],
        "X-Bz-File-Name": "x",
        "Content-Type": "text/plain",
        "X-Bz-Content-Sha1": "do_not_verify",
        "X-Bz-Test-Mode": "fail_some_uploads",
    }
    responses = [requests.post(upload["uploadUrl"], b"x", headers=headers, timeout=TIMEOUT) for _ in range(4)]
    assert sorted(response.status_code for response in responses) == [200, 200, 503, 503]


def test_the_library_gets_over_it(b2_here: Credentials, connect: Callable[..., B2Api]) -> None:
    failing = connect(b2_here, **{"X-Bz-Test-Mode": "fail_some_uploads"})
    bucket = failing.get_bucket_by_name(b2_here.bucket)
    for number in range(3):
        bucket.upload_bytes(b"x", f"x/{number}")
    assert len(list(bucket.ls("x"))) == 3


def test_some_tokens_are_born_expired(b2_here: Credentials, connect: Callable[..., B2Api]) -> None:
    api = connect(b2_here, **{"X-Bz-Test-Mode": "expire_some_account_authorization_tokens"})
    with pytest.raises(InvalidAuthToken, match="expired_auth_token"):
        api.raw_api.list_buckets(b2_here.realm, api.account_info.get_account_auth_token(), api.get_account_id())
    assert [bucket.name for bucket in api.list_buckets()] == [b2_here.bucket]


def test_caps(b2_here: Credentials, connect: Callable[..., B2Api], bucket: Bucket) -> None:
    bucket.upload_bytes(b"x", "x")
    capped = connect(b2_here, **{"X-Bz-Test-Mode": "force_cap_exceeded"})
    with pytest.raises(TransactionCapExceeded):
        capped.list_buckets()
    with pytest.raises(StorageCapExceeded):
        capped.session.get_upload_url(bucket.id_)
    url, token = bucket.get_download_url("x"), bucket.get_download_authorization("", 60)
    headers = {"Authorization": token, "X-Bz-Test-Mode": "force_cap_exceeded"}
    response = requests.get(url, headers=headers, timeout=TIMEOUT)
    assert (response.status_code, response.json()["code"]) == (403, "download_cap_exceeded")


def upload_headers(upload: dict[str, str], name: str) -> dict[str, str]:
    return {
        "Authorization": upload["authorizationToken"],
        "X-Bz-File-Name": name,
        "Content-Type": "text/plain",
        "X-Bz-Content-Sha1": "do_not_verify",
    }


def begin_upload(upload: dict[str, str], name: str, size: int) -> http.client.HTTPConnection:
    """An upload of `size` bytes of which none is sent yet."""
    url = urlsplit(upload["uploadUrl"])
    connection = http.client.HTTPConnection(url.netloc, timeout=TIMEOUT)
    connection.putrequest("POST", url.path)
    for header, value in {**upload_headers(upload, name), "Content-Length": str(size)}.items():
        connection.putheader(header, value)
    connection.endheaders()
    return connection


def status_of_another(upload: dict[str, str], name: str) -> int:
    headers = upload_headers(upload, name)
    return requests.post(upload["uploadUrl"], b"xx", headers=headers, timeout=TIMEOUT).status_code


def test_an_upload_url_takes_one_upload_at_a_time(bucket: Bucket) -> None:
    upload = bucket.api.session.get_upload_url(bucket.id_)
    slow = begin_upload(upload, "slow", 2)
    slow.send(b"1")
    # The first byte may take a moment to arrive.
    assert 503 in (status_of_another(upload, "other") for _ in range(100))
    slow.send(b"2")
    assert slow.getresponse().status == 200
    slow.close()
    assert status_of_another(upload, "later") == 200


def test_an_upload_that_breaks_off_leaves_nothing(bucket: Bucket, tmp_path: Path) -> None:
    upload = bucket.api.session.get_upload_url(bucket.id_)
    broken = begin_upload(upload, "x", 10_000_000)
    broken.send(b"x" * 3_000_000)
    broken.close()
    # The URL is free again as soon as the server has noticed.
    assert 200 in (status_of_another(upload, "x") for _ in range(100))
    assert {version.size for version in bucket.list_file_versions("x")} == {2}
    blobs = list((tmp_path / "b2" / "blobs").glob("*/*"))
    assert len(blobs) == len(list(bucket.list_file_versions("x")))
