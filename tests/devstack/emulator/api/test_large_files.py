"""Large files: parts in any order, resumed, copied, checked, cancelled."""

import io
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from b2sdk.v3 import Bucket, CopySource, UploadSourceBytes, UploadSourceLocalFile, WriteIntent, hex_sha1_of_bytes
from b2sdk.v3.exception import BadRequest, MissingPart, PartSha1Mismatch

PART = 5_000_000


@pytest.fixture
def big(tmp_path: Path) -> Path:
    """Two and a half parts."""
    path = tmp_path / "big.bin"
    path.write_bytes(os.urandom(2 * PART + 2_345_678))
    return path


def send(bucket: Bucket, path: Path, name: str = "big", **options: Any) -> Any:
    intents = [WriteIntent(UploadSourceLocalFile(path))]
    return bucket.create_file(intents, name, recommended_upload_part_size=PART, **options)


def part(bucket: Bucket, file_id: str, number: int, data: bytes) -> str:
    sha1: str = hex_sha1_of_bytes(data)
    bucket.api.session.upload_part(file_id, number, len(data), sha1, io.BytesIO(data))
    return sha1


def start(bucket: Bucket, name: str = "big", **info: str) -> str:
    file_id: str = bucket.api.session.start_large_file(bucket.id_, name, "a/b", info)["fileId"]
    return file_id


def test_parts_become_one_file(bucket: Bucket, big: Path, tmp_path: Path) -> None:
    version = send(bucket, big)
    assert (version.size, version.content_sha1) == (big.stat().st_size, "none")
    assert version.get_content_sha1() == hex_sha1_of_bytes(big.read_bytes())
    bucket.download_file_by_name("big").save_to(tmp_path / "back")
    assert (tmp_path / "back").read_bytes() == big.read_bytes()
    across = io.BytesIO()
    bucket.download_file_by_name("big", range_=(PART - 3, PART + 2)).save(across)
    assert across.getvalue() == big.read_bytes()[PART - 3 : PART + 3]


def test_an_unfinished_file_is_gone_on_with(bucket: Bucket, big: Path) -> None:
    sha1 = hex_sha1_of_bytes(big.read_bytes())
    begun = start(bucket, large_file_sha1=sha1)
    part(bucket, begun, 1, big.read_bytes()[:PART])
    assert [file.file_id for file in bucket.list_unfinished_large_files()] == [begun]
    assert send(bucket, big).id_ == begun
    assert list(bucket.list_unfinished_large_files()) == []


def test_unfinished_files_are_versions_but_not_names(bucket: Bucket) -> None:
    start(bucket)
    assert list(bucket.ls()) == []
    assert [version.action for version in bucket.list_file_versions("big")] == ["start"]


def test_a_part_sent_again_replaces_the_first(bucket: Bucket) -> None:
    file_id = start(bucket)
    part(bucket, file_id, 1, b"wrong")
    sha1 = part(bucket, file_id, 1, b"right")
    assert [stored_part.content_sha1 for stored_part in bucket.api.list_parts(file_id)] == [sha1]
    bucket.api.session.finish_large_file(file_id, [sha1])
    target = io.BytesIO()
    bucket.download_file_by_name("big").save(target)
    assert target.getvalue() == b"right"


def test_finish_checks_the_parts(bucket: Bucket) -> None:
    file_id = start(bucket)
    small, last = part(bucket, file_id, 1, b"small"), part(bucket, file_id, 2, b"last")
    finish = bucket.api.session.finish_large_file
    with pytest.raises(MissingPart):
        finish(file_id, [small, last, last])
    with pytest.raises(MissingPart):
        finish(file_id, [small])
    with pytest.raises(PartSha1Mismatch):
        finish(file_id, [small, small])
    with pytest.raises(BadRequest, match="smaller than 5000000"):
        finish(file_id, [small, last])
    with pytest.raises(BadRequest):
        finish(file_id, [])
    assert [file.file_id for file in bucket.list_unfinished_large_files()] == [file_id]


def test_parts_come_in_pages(bucket: Bucket) -> None:
    file_id = start(bucket)
    for number in (3, 1, 2):
        part(bucket, file_id, number, b"x")
    listed = [stored_part.part_number for stored_part in bucket.api.list_parts(file_id, batch_size=2)]
    assert listed == [1, 2, 3]


def test_cancel_forgets_the_parts(bucket: Bucket, call: Callable[..., requests.Response]) -> None:
    file_id = start(bucket)
    part(bucket, file_id, 1, b"x")
    bucket.api.cancel_large_file(file_id)
    assert list(bucket.list_unfinished_large_files()) == []
    response = call("b2_list_parts", fileId=file_id)
    assert (response.status_code, response.json()["code"]) == (400, "bad_request")
    with pytest.raises(BadRequest):
        bucket.api.session.finish_large_file(file_id, ["0" * 40])


def test_unfinished_files_come_in_pages_and_by_prefix(bucket: Bucket) -> None:
    begun = [start(bucket, name) for name in ("a/1", "b/1", "a/2")]
    assert [file.file_id for file in bucket.list_unfinished_large_files(batch_size=1)] == begun
    assert [file.file_name for file in bucket.list_unfinished_large_files(prefix="a/")] == ["a/1", "a/2"]


def test_parts_can_be_copied(bucket: Bucket, big: Path) -> None:
    source = send(bucket, big)
    bucket.concatenate([CopySource(source.id_, length=2 * PART), UploadSourceBytes(b"end")], "copy", min_part_size=PART)
    target = io.BytesIO()
    bucket.download_file_by_name("copy").save(target)
    assert target.getvalue() == big.read_bytes()[: 2 * PART] + b"end"
