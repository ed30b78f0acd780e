"""Stat, download, list and delete."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from b2sdk.v3 import Bucket

from worker.errors import InvalidInput
from worker.storage.errors import ChecksumMismatch, ObjectMissing
from worker.storage.store import ObjectStore

MakeStore = Callable[..., ObjectStore]
MakeFile = Callable[..., tuple[Path, str]]


@pytest.fixture
def put(store: ObjectStore, make_file: MakeFile) -> Callable[..., tuple[Path, str]]:
    """`put(name, **content)`: upload a file and return it with its SHA-1."""

    def upload(name: str, **content: Any) -> tuple[Path, str]:
        path, sha1 = make_file(**content)
        store.upload(path, name, content_type="video/webm", sha1=sha1)
        return path, sha1

    return upload


def versions(bucket: Bucket) -> list[str]:
    return [version.file_name for version, _ in bucket.ls(latest_only=False, recursive=True)]


def test_stat_of_nothing(store: ObjectStore) -> None:
    assert store.stat("rec/nothing") is None


@pytest.mark.parametrize("size", [0, 1000, 12_345_678])
def test_download(store: ObjectStore, put: MakeFile, tmp_path: Path, size: int) -> None:
    source, sha1 = put("rec/x y.webm", size=size)
    target = tmp_path / "target.webm"
    target.write_bytes(b"old")
    store.download("rec/x y.webm", target, sha1=sha1)
    assert target.read_bytes() == source.read_bytes()
    store.download("rec/x y.webm", tmp_path / "again.webm")
    assert (tmp_path / "again.webm").read_bytes() == source.read_bytes()
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("size", [1000, 12_345_678])
def test_a_wrong_download_does_not_appear(store: ObjectStore, put: MakeFile, tmp_path: Path, size: int) -> None:
    put("rec/x", size=size)
    with pytest.raises(ChecksumMismatch) as caught:
        store.download("rec/x", tmp_path / "target", sha1="0" * 40)
    assert caught.value.retryable
    assert not (tmp_path / "target").exists()
    assert not list(tmp_path.glob("*.part"))


def test_an_object_that_rotted_is_noticed(store: ObjectStore, bucket: Bucket, tmp_path: Path) -> None:
    """The SHA-1 of a large file is a claim of its uploader: nobody but the reader checks it."""
    wrong = {"large_file_sha1": "0" * 40}
    begun = bucket.api.session.start_large_file(bucket.id_, "rec/x", "a/b", wrong)["fileId"]
    part = tmp_path / "part"
    part.write_bytes(b"x")
    sha1 = "11f6ad8ec52a2984abaafd7c3b516503785c2072"  # of "x"
    with part.open("rb") as content:
        bucket.api.session.upload_part(begun, 1, 1, sha1, content)
    bucket.api.session.finish_large_file(begun, [sha1])
    with pytest.raises(ChecksumMismatch):
        store.download("rec/x", tmp_path / "target")


def test_download_of_nothing(store: ObjectStore, tmp_path: Path) -> None:
    with pytest.raises(ObjectMissing) as caught:
        store.download("rec/nothing", tmp_path / "target")
    assert (caught.value.status, caught.value.retryable) == (404, False)
    assert not list(tmp_path.iterdir())


def test_list_is_by_prefix_and_tells_the_newest(store: ObjectStore, put: MakeFile, bucket: Bucket) -> None:
    put("rec/1/a")
    newest = put("rec/1/a")[1]
    put("rec/1/b/c")
    put("rec/10/a")
    put("rec/1/hidden")
    bucket.hide_file("rec/1/hidden")
    listed = list(store.list("rec/1/"))
    assert [stored.name for stored in listed] == ["rec/1/a", "rec/1/b/c"]
    assert listed[0] == store.stat("rec/1/a")
    assert listed[0].sha1 == newest
    assert len(list(store.list(""))) == 3


def test_delete_takes_every_version_of_one_name(store: ObjectStore, put: MakeFile, bucket: Bucket) -> None:
    put("rec/a")
    put("rec/a")
    bucket.hide_file("rec/a")
    bucket.api.session.start_large_file(bucket.id_, "rec/a", "a/b", {})
    put("rec/ab")
    put("rec/a/b")
    assert store.delete("rec/a") == 4
    assert versions(bucket) == ["rec/a/b", "rec/ab"]
    assert store.delete("rec/a") == 0


@pytest.mark.parametrize("prefix", ["", "/", "rec", "rec/1"])
def test_only_whole_folders_are_opened(store: ObjectStore, prefix: str) -> None:
    with pytest.raises(InvalidInput, match="folder"):
        store.authorize_download(prefix, 60)


def test_old_unfinished_uploads_are_given_up(store: ObjectStore, bucket: Bucket) -> None:
    for name in ("rec/1/a", "rec/1/b", "other/c"):
        bucket.api.session.start_large_file(bucket.id_, name, "a/b", {})
    now = datetime.now(UTC)
    assert store.cancel_unfinished("rec/", older_than=now - timedelta(hours=1)) == 0
    assert store.cancel_unfinished("rec/", older_than=now + timedelta(minutes=1)) == 2
    assert [file.file_name for file in bucket.list_unfinished_large_files()] == ["other/c"]
