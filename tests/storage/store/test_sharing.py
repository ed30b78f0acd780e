"""Signed addresses, and tokens that expire."""

import time
from pathlib import Path

import pytest
import requests
from b2sdk.v3 import Bucket

from devstack.emulator.credentials import Credentials
from tests.waiting import TIMEOUT
from worker.errors import InvalidInput
from worker.storage.store import ObjectStore

NAME = "rec/1/x y+z%ü.webm"


def test_an_address_opens_only_with_a_token(store: ObjectStore, bucket: Bucket, b2: Credentials) -> None:
    bucket.upload_bytes(b"content", NAME)
    url = store.url(NAME)
    assert url == f"{b2.realm}/file/{bucket.name}/rec/1/x%20y%2Bz%25%C3%BC.webm"
    assert requests.get(url, timeout=TIMEOUT).status_code == 401
    token = store.authorize_download("rec/1/", 60)
    assert requests.get(store.signed_url(NAME, token), timeout=TIMEOUT).content == b"content"


def test_a_token_opens_its_folder_for_its_time(store: ObjectStore, bucket: Bucket) -> None:
    for name in ("rec/1/a", "rec/10/a"):
        bucket.upload_bytes(b"content", name)
    token = store.authorize_download("rec/1/", 1)
    assert requests.get(store.signed_url("rec/1/a", token), timeout=TIMEOUT).status_code == 200
    assert requests.get(store.signed_url("rec/10/a", token), timeout=TIMEOUT).status_code == 401
    time.sleep(1.1)
    assert requests.get(store.signed_url("rec/1/a", token), timeout=TIMEOUT).status_code == 401


@pytest.mark.parametrize("seconds", [0, -1, 604_801])
def test_a_token_holds_for_a_second_to_a_week(store: ObjectStore, seconds: int) -> None:
    with pytest.raises(InvalidInput):
        store.authorize_download("rec/", seconds)


def test_a_browser_reads_a_range(store: ObjectStore, bucket: Bucket, tmp_path: Path) -> None:
    bucket.upload_bytes(b"0123456789", "rec/1/x")
    url = store.signed_url("rec/1/x", store.authorize_download("rec/1/", 60))
    response = requests.get(url, headers={"Range": "bytes=2-4"}, timeout=TIMEOUT)
    assert (response.status_code, response.content) == (206, b"234")
