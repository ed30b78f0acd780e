"""Listings: order, pages, prefixes, folders."""

from collections.abc import Callable
from typing import Any

import pytest
from b2sdk.v3 import Bucket

NAMES = ["a", "a/1", "a/2", "a/b/3", "ab", "b", "Z", "é", "መ"]

Call = Callable[..., Any]


@pytest.fixture
def bucket_id(bucket: Bucket) -> str:
    for name in reversed(NAMES):
        bucket.upload_bytes(b"x", name)
    bucket.upload_bytes(b"y", "a/1")
    identity: str = bucket.id_
    return identity


def names(response: Any) -> list[str]:
    return [file["fileName"] for file in response.json()["files"]]


def test_names_are_in_the_order_of_their_bytes(call: Call, bucket_id: str) -> None:
    listed = names(call("b2_list_file_names", bucketId=bucket_id))
    assert listed == sorted(NAMES, key=str.encode)


@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_pages_lose_and_repeat_nothing(call: Call, bucket_id: str, size: int) -> None:
    listed: list[str] = []
    start: str | None = None
    while start is not None or not listed:
        response = call("b2_list_file_names", bucketId=bucket_id, maxFileCount=size, startFileName=start)
        listed += names(response)
        start = response.json()["nextFileName"]
    assert listed == sorted(NAMES, key=str.encode)


@pytest.mark.parametrize("size", [1, 2, 100])
def test_pages_of_versions(call: Call, bucket_id: str, size: int) -> None:
    versions: list[tuple[str, int]] = []
    cursor: dict[str, Any] = {}
    while cursor or not versions:
        document = call("b2_list_file_versions", bucketId=bucket_id, maxFileCount=size, **cursor).json()
        versions += [(file["fileName"], file["uploadTimestamp"]) for file in document["files"]]
        cursor = {"startFileName": document["nextFileName"], "startFileId": document["nextFileId"]}
        cursor = cursor if document["nextFileName"] else {}
    assert [name for name, _ in versions] == sorted([*NAMES, "a/1"], key=str.encode)
    twice = [at for name, at in versions if name == "a/1"]
    assert twice == sorted(twice, reverse=True)


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ({"prefix": "a/"}, ["a/1", "a/2", "a/b/3"]),
        ({"prefix": "a"}, ["a", "a/1", "a/2", "a/b/3", "ab"]),
        ({"prefix": "nothing"}, []),
        ({"prefix": "መ"}, ["መ"]),
        ({"delimiter": "/"}, ["Z", "a", "a/", "ab", "b", "é", "መ"]),
        ({"prefix": "a/", "delimiter": "/"}, ["a/1", "a/2", "a/b/"]),
        ({"prefix": "a/", "startFileName": "a/2"}, ["a/2", "a/b/3"]),
        ({"prefix": "a/", "startFileName": "Z"}, ["a/1", "a/2", "a/b/3"]),
        ({"prefix": "a/", "startFileName": "b"}, []),
    ],
)
def test_prefix_and_folders(call: Call, bucket_id: str, parameters: dict[str, str], expected: list[str]) -> None:
    assert names(call("b2_list_file_names", bucketId=bucket_id, **parameters)) == expected


def test_hidden_names_are_left_out(call: Call, bucket: Bucket, bucket_id: str) -> None:
    bucket.hide_file("a/1")
    assert "a/1" not in names(call("b2_list_file_names", bucketId=bucket_id))


@pytest.mark.parametrize(
    ("count", "code"),
    [
        (0, "out_of_range"),
        (10_001, "out_of_range"),
        (-1, "out_of_range"),
        ("many", "bad_request"),
        (True, "bad_request"),
        (1.5, "bad_request"),
    ],
)
def test_page_size_has_bounds(call: Call, bucket_id: str, count: Any, code: str) -> None:
    response = call("b2_list_file_names", bucketId=bucket_id, maxFileCount=count)
    assert (response.status_code, response.json()["code"]) == (400, code)
