"""Small files: put, read in whole and in pieces, hidden, deleted."""

import io
from urllib.parse import quote

import pytest
import requests
from b2sdk.v3 import SSE_B2_AES, B2Api, Bucket, hex_sha1_of_bytes
from b2sdk.v3.exception import BadRequest, FileAlreadyHidden, FileNotPresent

from tests.waiting import TIMEOUT

NAMES = [
    "plain.txt",
    "with space/and more.txt",
    "plus+and%percent%20.txt",
    "ትምህርት/ልጅ ü.webm",
    "q?uestion&am=p#hash;semi'quote\"<>.txt",
    "a/b/c/d/e..f/.g",
    "~tilde!*()",
]


def read(bucket: Bucket, name: str) -> bytes:
    target = io.BytesIO()
    bucket.download_file_by_name(name).save(target)
    return target.getvalue()


@pytest.mark.parametrize("name", NAMES)
def test_any_name_comes_back_as_it_went(bucket: Bucket, name: str) -> None:
    bucket.upload_bytes(name.encode(), name)
    assert read(bucket, name) == name.encode()
    assert bucket.get_file_info_by_name(name).file_name == name
    assert [version.file_name for version, _ in bucket.ls(recursive=True)] == [name]


def test_a_plus_in_an_address_is_a_space(bucket: Bucket, api: B2Api) -> None:
    bucket.upload_bytes(b"1", "a b")
    token = bucket.get_download_authorization("", 60)
    url = f"{api.account_info.get_download_url()}/file/{bucket.name}/a+b"
    assert requests.get(url, headers={"Authorization": token}, timeout=10).content == b"1"


@pytest.mark.parametrize("name", ["", "/a", "a/", "a//b", "a\nb", "a\x7fb", "x" * 251, "y/" * 513])
def test_bad_names_are_refused(bucket: Bucket, api: B2Api, name: str) -> None:
    upload = api.session.get_upload_url(bucket.id_)
    headers = {
        "Authorization": upload["authorizationToken"],
        "X-Bz-File-Name": quote(name),
        "Content-Type": "text/plain",
        "X-Bz-Content-Sha1": "do_not_verify",
    }
    response = requests.post(upload["uploadUrl"], data=b"x", headers=headers, timeout=TIMEOUT)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")


def test_what_is_told_about_a_file_is_kept(bucket: Bucket) -> None:
    sent = bucket.upload_bytes(
        b"hello",
        "x.webm",
        file_info={"note": "Grüße + 100%"},
        cache_control="private, max-age=60",
        content_disposition='attachment; filename="x"',
        encryption=SSE_B2_AES,
    )
    file_info = bucket.get_file_info_by_name("x.webm")
    assert sent.content_type == file_info.content_type == "video/webm"
    assert sent.content_sha1 == file_info.content_sha1 == hex_sha1_of_bytes(b"hello")
    assert (file_info.size, file_info.cache_control) == (5, "private, max-age=60")
    assert file_info.content_disposition == 'attachment; filename="x"'
    assert file_info.file_info == {"note": "Grüße + 100%"}
    assert sent.server_side_encryption == file_info.server_side_encryption == SSE_B2_AES
    assert bucket.api.get_file_info(sent.id_).file_info["note"] == "Grüße + 100%"


def test_a_wrong_checksum_leaves_nothing(bucket: Bucket) -> None:
    with pytest.raises(BadRequest, match="Sha1 did not match"):
        bucket.api.session.upload_file(bucket.id_, "x", 5, "text/plain", "0" * 40, {}, io.BytesIO(b"hello"))
    assert list(bucket.ls()) == []


@pytest.mark.parametrize(("trailer", "status"), [(hex_sha1_of_bytes(b"hello"), 200), ("0" * 40, 400), ("beef", 400)])
def test_checksum_after_the_content(bucket: Bucket, trailer: str, status: int) -> None:
    upload = bucket.api.session.get_upload_url(bucket.id_)
    headers = {
        "Authorization": upload["authorizationToken"],
        "X-Bz-File-Name": "x",
        "Content-Type": "text/plain",
        "X-Bz-Content-Sha1": "hex_digits_at_end",
    }
    response = requests.post(upload["uploadUrl"], data=b"hello" + trailer.encode(), headers=headers, timeout=TIMEOUT)
    assert response.status_code == status
    if status == 200:
        assert (response.json()["contentLength"], read(bucket, "x")) == (5, b"hello")


def test_an_unverified_upload_says_so(bucket: Bucket) -> None:
    version = bucket.api.session.upload_file(
        bucket.id_, "x", 5, "text/plain", "do_not_verify", {}, io.BytesIO(b"hello")
    )
    assert version["contentSha1"] == "unverified:" + hex_sha1_of_bytes(b"hello")


@pytest.mark.parametrize(
    ("byte_range", "status", "content", "content_range"),
    [
        ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
        ("bytes=4-4", 206, b"4", "bytes 4-4/10"),
        ("bytes=7-", 206, b"789", "bytes 7-9/10"),
        ("bytes=-2", 206, b"89", "bytes 8-9/10"),
        ("bytes=8-99", 206, b"89", "bytes 8-9/10"),
        ("bytes=-99", 206, b"0123456789", "bytes 0-9/10"),
        ("bytes=10-", 416, None, None),
        ("bytes=-0", 416, None, None),
        ("bytes=5-4", 200, b"0123456789", None),
        ("lines=1-2", 200, b"0123456789", None),
    ],
)
def test_ranges(bucket: Bucket, byte_range: str, status: int, content: bytes | None, content_range: str | None) -> None:
    bucket.upload_bytes(b"0123456789", "digits")
    headers = {"Authorization": bucket.get_download_authorization("", 60), "Range": byte_range}
    response = requests.get(bucket.get_download_url("digits"), headers=headers, timeout=TIMEOUT)
    assert response.status_code == status
    assert response.headers.get("Content-Range") == content_range
    if content is None:
        assert response.json()["code"] == "range_not_satisfiable"
    else:
        assert response.content == content
        assert response.headers["Accept-Ranges"] == "bytes"
        assert requests.head(response.url, headers=headers, timeout=TIMEOUT).headers["Content-Length"] == str(
            len(content)
        )


def test_empty_file(bucket: Bucket) -> None:
    bucket.upload_bytes(b"", "empty")
    assert read(bucket, "empty") == b""


def test_query_overrides_headers_but_smuggles_none(bucket: Bucket) -> None:
    bucket.upload_bytes(b"x", "x.txt")
    token, url = bucket.get_download_authorization("", 60), bucket.get_download_url("x.txt")
    query = {"Authorization": token, "b2ContentDisposition": 'attachment; filename="y"', "b2ContentType": "a/b"}
    response = requests.get(url, params=query, timeout=TIMEOUT)
    assert response.headers["Content-Disposition"] == 'attachment; filename="y"'
    assert response.headers["Content-Type"] == "a/b"
    query["b2ContentType"] = "a/b\r\nSet-Cookie: x=1"
    assert requests.get(url, params=query, timeout=TIMEOUT).status_code == 400


def test_versions_hide_and_delete(bucket: Bucket) -> None:
    first = bucket.upload_bytes(b"one", "x")
    second = bucket.upload_bytes(b"two", "x")
    assert read(bucket, "x") == b"two"
    bucket.hide_file("x")
    with pytest.raises(FileNotPresent):
        bucket.get_file_info_by_name("x")
    with pytest.raises(FileAlreadyHidden):
        bucket.hide_file("x")
    assert [version.action for version in bucket.list_file_versions("x")] == ["hide", "upload", "upload"]
    bucket.unhide_file("x")
    assert read(bucket, "x") == b"two"
    bucket.api.delete_file_version(second.id_, "x")
    assert read(bucket, "x") == b"one"
    with pytest.raises(FileNotPresent):
        bucket.api.delete_file_version(second.id_, "x")
    with pytest.raises(FileNotPresent):
        bucket.api.delete_file_version(first.id_, "y")
    bucket.api.delete_file_version(first.id_, "x")
    assert list(bucket.list_file_versions("x")) == []


def test_copy(bucket: Bucket) -> None:
    source = bucket.upload_bytes(b"0123456789", "x.txt", file_info={"a": "b"})
    copied = bucket.copy(source.id_, "y", offset=2, length=3)
    assert (read(bucket, "y"), copied.file_info) == (b"234", {"a": "b"})
    bucket.copy(source.id_, "z", content_type="a/b", file_info={"c": "d"})
    assert bucket.get_file_info_by_name("z").content_type == "a/b"
    assert bucket.get_file_info_by_name("z").file_info == {"c": "d"}
