"""Uploads: retried, resumed, verified, and never done twice."""

import hashlib
import io
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from b2sdk.v3 import B2Api, Bucket

from tests.storage.faulty_proxy import Answer, FaultyProxy
from worker.storage.errors import FileChanged, StorageFull, StorageRefused, StorageUnavailable, UploadStopped
from worker.storage.store import ObjectStore

MakeStore = Callable[..., ObjectStore]
MakeFile = Callable[..., tuple[Path, str]]

NAME = "videos/lesson 1/ትምህርት + 100%.webm"
BIG = 12_345_678  # three parts


def upload(store: ObjectStore, file: tuple[Path, str], name: str = NAME, **options: Any) -> Any:
    return store.upload(file[0], name, content_type="video/webm", sha1=file[1], **options)


def uploads(sent: list[str]) -> list[str]:
    return [request for request in sent if "/b2_upload_" in request]


@pytest.mark.parametrize("size", [0, 1, 1000, BIG])
def test_what_is_put_is_there(store: ObjectStore, bucket: Bucket, make_file: MakeFile, size: int) -> None:
    file = make_file(size=size)
    stored = upload(store, file)
    assert (stored.name, stored.size, stored.sha1, stored.content_type) == (NAME, size, file[1], "video/webm")
    assert abs(stored.uploaded_at - datetime.now(UTC)) < timedelta(minutes=1)
    assert store.stat(NAME) == stored
    content = io.BytesIO()
    bucket.download_file_by_name(NAME).save(content)
    assert content.getvalue() == file[0].read_bytes()
    assert bucket.get_file_info_by_name(NAME).cache_control == "private, max-age=31536000, immutable"


def test_the_same_again_is_not_sent(store: ObjectStore, make_file: MakeFile, sent: list[str]) -> None:
    file = make_file()
    first = upload(store, file)
    sent.clear()
    assert upload(store, file) == first
    assert uploads(sent) == []


def test_other_bytes_under_the_same_name_are_sent(store: ObjectStore, make_file: MakeFile) -> None:
    upload(store, make_file())
    other = make_file()
    assert upload(store, other).sha1 == other[1]
    assert store.stat(NAME).sha1 == other[1]  # type: ignore[union-attr]


def test_progress_ends_with_the_size(store: ObjectStore, make_file: MakeFile) -> None:
    progress: list[int] = []
    upload(store, make_file(size=BIG), on_progress=progress.append)
    assert max(progress) == BIG
    assert len(progress) > 10


def test_a_stopped_upload_is_gone_on_with(
    store: ObjectStore, bucket: Bucket, make_file: MakeFile, sent: list[str]
) -> None:
    """Six parts, two at once: when more than 24 MB are reported, at most two of the parts begun are not whole.

    The second of the two may arrive after the stop, while the parts are listed: it is not sent again either.
    """
    file = make_file(size=6 * 5_000_000)
    progress: list[int] = []
    with pytest.raises(UploadStopped):
        upload(
            store, file, on_progress=progress.append, should_stop=lambda: bool(progress) and max(progress) > 24_000_000
        )
    assert store.stat(NAME) is None
    begun = list(bucket.list_unfinished_large_files())
    assert len(begun) == 1
    whole = len(list(bucket.api.list_parts(begun[0].file_id)))
    assert 3 <= whole <= 5
    sent.clear()
    assert upload(store, file).file_id == begun[0].file_id
    assert 1 <= len(uploads(sent)) <= 6 - whole
    assert list(bucket.list_unfinished_large_files()) == []


def test_only_missing_parts_are_sent(store: ObjectStore, bucket: Bucket, make_file: MakeFile, sent: list[str]) -> None:
    file = make_file(size=4 * 5_000_000)
    begun = begin(bucket, NAME, file[1])
    with file[0].open("rb") as content:
        for number in (1, 2, 3):
            part = content.read(5_000_000)
            sha1 = hashlib.sha1(part, usedforsecurity=False).hexdigest()
            bucket.api.session.upload_part(begun, number, len(part), sha1, io.BytesIO(part))
    assert upload(store, file).file_id == begun
    assert len(uploads(sent)) == 1


def begin(bucket: Bucket, name: str, sha1: str) -> Any:
    """An unfinished upload like the one that a store leaves behind when its process dies."""
    info = {"large_file_sha1": sha1, "b2-cache-control": "private, max-age=31536000, immutable"}
    return bucket.api.session.start_large_file(bucket.id_, name, "video/webm", info)["fileId"]


def test_a_key_that_may_not_read_locks_starts_anew(
    make_store: MakeStore, admin: B2Api, bucket: Bucket, make_file: MakeFile
) -> None:
    """What `ObjectStore` tells its reader about the two capabilities that resuming needs."""
    enough = ["listBuckets", "listFiles", "readFiles", "writeFiles", "deleteFiles", "shareFiles"]
    file = make_file(size=BIG)
    for capabilities, resumed in ((enough, False), ([*enough, "readFileRetentions", "readFileLegalHolds"], True)):
        key = admin.create_key(capabilities, "worker", bucket_ids=[bucket.id_])
        store = make_store(key_id=key.id_, application_key=key.application_key)
        name = f"videos/{resumed}"
        begun = begin(bucket, name, file[1])
        assert (upload(store, file, name).file_id == begun) is resumed


def test_should_stop_is_asked_before_anything_is_sent(store: ObjectStore, make_file: MakeFile, sent: list[str]) -> None:
    with pytest.raises(UploadStopped):
        upload(store, make_file(), should_stop=lambda: True)
    assert sent == []


def test_a_file_that_is_not_what_it_should_be_is_not_sent(
    store: ObjectStore, make_file: MakeFile, sent: list[str]
) -> None:
    with pytest.raises(FileChanged):
        upload(store, (make_file()[0], "0" * 40))
    assert sent == []


@pytest.mark.parametrize("size", [1000, BIG])
def test_a_file_written_to_meanwhile_does_not_stay(
    store: ObjectStore, bucket: Bucket, make_file: MakeFile, size: int
) -> None:
    file = make_file(size=size)

    def disturb(_sent: int) -> None:
        os.utime(file[0], ns=(1, 1))

    with pytest.raises(FileChanged) as caught:
        upload(store, file, on_progress=disturb)
    assert not caught.value.retryable
    assert list(bucket.list_file_versions(NAME)) == []


@pytest.mark.parametrize("size", [1000, BIG])
def test_uploads_get_through_when_some_fail(
    make_store: MakeStore, make_file: MakeFile, sent: list[str], size: int
) -> None:
    store = make_store(headers={"X-Bz-Test-Mode": "fail_some_uploads"})
    files = [make_file(size=size) for _ in range(3)]
    for number, file in enumerate(files):
        assert upload(store, file, f"videos/{number}").sha1 == file[1]
    assert len(uploads(sent)) > len(files) * (3 if size == BIG else 1)


def test_expired_account_tokens_are_renewed(make_store: MakeStore, make_file: MakeFile) -> None:
    store = make_store(headers={"X-Bz-Test-Mode": "expire_some_account_authorization_tokens"})
    file = make_file()
    assert upload(store, file).sha1 == file[1]


def test_a_cap_is_no_reason_to_try_again(make_store: MakeStore, make_file: MakeFile) -> None:
    store = make_store(headers={"X-Bz-Test-Mode": "force_cap_exceeded"})
    with pytest.raises(StorageFull) as caught:
        upload(store, make_file())
    assert (caught.value.status, caught.value.retryable) == (507, False)


def test_pauses_grow_between_tries(
    make_store: MakeStore, make_file: MakeFile, proxy: FaultyProxy, slept: list[float]
) -> None:
    """b2sdk tries an upload five times at once; between such volleys are 1, 4 and 16 seconds of ours."""
    proxy.always("b2_upload_file", Answer(503))
    moments: list[int] = []

    def sleep(seconds: float) -> None:
        moments.append(proxy.requests["b2_upload_file"])
        slept.append(seconds)

    with pytest.raises(StorageUnavailable):
        upload(make_store(sleep=sleep, realm=proxy.url), make_file())
    assert slept == [1.0] * 21  # asking every second whether to stop
    assert moments == [5] + [10] * 4 + [15] * 16
    assert proxy.requests["b2_upload_file"] == 20


def test_should_stop_ends_a_pause(
    make_store: MakeStore, make_file: MakeFile, proxy: FaultyProxy, slept: list[float]
) -> None:
    proxy.always("b2_upload_file", Answer(503))
    with pytest.raises(UploadStopped):
        upload(make_store(realm=proxy.url), make_file(), should_stop=lambda: len(slept) == 3)
    assert len(slept) == 3


def test_a_key_that_may_not_write_is_refused(
    make_store: MakeStore, admin: B2Api, bucket: Bucket, make_file: MakeFile
) -> None:
    key = admin.create_key(["listBuckets", "listFiles", "readFiles"], "reader", bucket_ids=[bucket.id_])
    store = make_store(key_id=key.id_, application_key=key.application_key)
    with pytest.raises(StorageRefused):
        upload(store, make_file())


def test_two_workers_with_the_same_file(make_store: MakeStore, bucket: Bucket, make_file: MakeFile) -> None:
    """A message delivered twice: both get the object, and no half of it stays behind."""
    file = make_file(size=BIG)
    with ThreadPoolExecutor() as pool:
        results = list(pool.map(lambda store: upload(store, file), [make_store(), make_store()]))
    assert {stored.sha1 for stored in results} == {file[1]}
    content = io.BytesIO()
    bucket.download_file_by_name(NAME).save(content)
    assert hashlib.sha1(content.getvalue(), usedforsecurity=False).hexdigest() == file[1]
