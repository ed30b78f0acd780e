"""Storage that fails during a call: the right result or a clear error, and nothing left behind."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from b2sdk.v3 import Bucket

from tests.storage.faulty_proxy import Answer, Cut, CutAnswer, Fault, FaultyProxy, Garble, GarbleAnswer
from worker.errors import AstegniError
from worker.storage.errors import ChecksumMismatch, StorageFull, StorageRefused, StorageUnavailable
from worker.storage.store import ObjectStore

MakeStore = Callable[..., ObjectStore]
MakeFile = Callable[..., tuple[Path, str]]

NAME = "videos/whiteboard/session_1/recording_1/0123/x.webm"
SMALL, BIG = 100_000, 12_345_678  # in one piece, in three parts
CALL = {SMALL: "b2_upload_file", BIG: "b2_upload_part"}

BUSY = Answer(503, "service_unavailable")
# What b2sdk sees through by itself, at once, with a fresh upload URL.
PASSING: dict[str, list[Fault]] = {
    "503 three times": [BUSY] * 3,
    "429": [Answer(429, "too_many_requests", {"Retry-After": "30"})],
    "408": [Answer(408, "request_timeout")],
    "500 in HTML": [Answer(500, content=b"<html>Oops</html>")],
    "expired upload token": [Answer(401, "expired_auth_token")],
    "bad upload token": [Answer(401, "bad_auth_token")],
    "cut before the body": [Cut(0)],
    "cut in the middle": [Cut(70_000)],
    "cut before the answer": [CutAnswer(1)],
}


def upload(store: ObjectStore, file: tuple[Path, str]) -> Any:
    return store.upload(file[0], NAME, content_type="video/webm", sha1=file[1])


def content(bucket: Bucket) -> bytes:
    """The one version that there must be, read without the bad proxy."""
    stored = io.BytesIO()
    bucket.download_file_by_name(NAME).save(stored)
    return stored.getvalue()


def versions(bucket: Bucket) -> list[tuple[str, int]]:
    """Action and size of every version, unfinished uploads included."""
    return [(version.action, version.size) for version in bucket.list_file_versions(NAME)]


def unfinished(bucket: Bucket) -> int:
    return len(list(bucket.list_unfinished_large_files()))


@pytest.mark.parametrize("fault", PASSING)
@pytest.mark.parametrize("size", [SMALL, BIG])
def test_an_upload_gets_over(
    make_store: MakeStore, make_file: MakeFile, bucket: Bucket, proxy: FaultyProxy, size: int, fault: str
) -> None:
    proxy.meet(CALL[size], *PASSING[fault])
    file = make_file(size=size)
    stored = upload(make_store(realm=proxy.url), file)
    assert (stored.sha1, stored.size) == (file[1], size)
    assert content(bucket) == file[0].read_bytes()
    assert unfinished(bucket) == 0
    # Cut off before the answer, a file in one piece is there once and, sent again, a second time, and both are right.
    most = 2 if isinstance(PASSING[fault][0], CutAnswer) and size == SMALL else 1
    assert set(versions(bucket)) == {("upload", size)}
    assert len(versions(bucket)) <= most


@pytest.mark.parametrize("size", [SMALL, BIG])
def test_a_long_outage_is_waited_for(
    make_store: MakeStore, make_file: MakeFile, bucket: Bucket, proxy: FaultyProxy, slept: list[float], size: int
) -> None:
    """b2sdk tries each part five times, two parts at once: refusals for two such volleys and one more."""
    before: list[Fault | None] = [None] if size == BIG else []
    refusals = 21 if size == BIG else 11
    proxy.meet(CALL[size], *before, *[BUSY] * refusals)
    file = make_file(size=size)
    assert upload(make_store(realm=proxy.url), file).sha1 == file[1]
    # One second, then four, and so on, asked in between whether to stop. Parts that had arrived are not sent again.
    assert set(slept) == {1.0}
    assert len(slept) in {1 + 4, 1 + 4 + 16}
    assert proxy.requests[CALL[size]] == refusals + (3 if size == BIG else 1)
    assert versions(bucket) == [("upload", size)]


@pytest.mark.parametrize("size", [SMALL, BIG])
def test_bytes_garbled_on_the_way_are_sent_again(
    make_store: MakeStore, make_file: MakeFile, bucket: Bucket, proxy: FaultyProxy, slept: list[float], size: int
) -> None:
    proxy.meet(CALL[size], Garble())
    file = make_file(size=size)
    assert upload(make_store(realm=proxy.url), file).sha1 == file[1]
    assert slept == [1.0]
    assert content(bucket) == file[0].read_bytes()
    assert versions(bucket) == [("upload", size)]


ENDLESS: dict[str, tuple[Fault, type[AstegniError]]] = {
    "busy": (BUSY, StorageUnavailable),
    "429": (Answer(429, "too_many_requests", {"Retry-After": "1"}), StorageUnavailable),
    "408": (Answer(408, "request_timeout"), StorageUnavailable),
    "cut": (Cut(70_000), StorageUnavailable),
    "garbled": (Garble(), ChecksumMismatch),
    "upload tokens all revoked": (Answer(401, "bad_auth_token"), StorageRefused),
    "full": (Answer(403, "storage_cap_exceeded"), StorageFull),
    "no payment": (Answer(401, "no_payment_history"), StorageRefused),
}


@pytest.mark.parametrize("fault", ENDLESS)
@pytest.mark.parametrize("size", [SMALL, BIG])
def test_what_does_not_end_is_named_and_leaves_nothing(
    make_store: MakeStore, make_file: MakeFile, bucket: Bucket, proxy: FaultyProxy, size: int, fault: str
) -> None:
    endless, named = ENDLESS[fault]
    proxy.always(CALL[size], endless)
    store, file = make_store(realm=proxy.url), make_file(size=size)
    with pytest.raises(named) as caught:
        upload(store, file)
    assert caught.value.retryable is (named in (StorageUnavailable, ChecksumMismatch))
    assert store.stat(NAME) is None
    assert unfinished(bucket) == (size == BIG)
    assert len(versions(bucket)) == (size == BIG)
    # A later attempt goes on with it; if there is none, the sweep takes it away.
    proxy.always(CALL[size], None)
    if named is StorageUnavailable:
        assert upload(store, file).sha1 == file[1]
        assert (unfinished(bucket), versions(bucket)) == (0, [("upload", size)])
        return
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    assert store.cancel_unfinished("videos/", older_than=tomorrow) == (size == BIG)
    assert (unfinished(bucket), versions(bucket)) == (0, [])


@pytest.mark.parametrize("fault", [Answer(403, content=b""), Answer(403, "download_cap_exceeded")], ids=repr)
def test_a_cap_on_looks_stops_no_upload_and_is_called_a_cap(
    make_store: MakeStore, make_file: MakeFile, bucket: Bucket, proxy: FaultyProxy, fault: Fault
) -> None:
    """At the daily cap on transactions B2 answers HEAD with a bare 403; uploads are free of it."""
    store, file = make_store(realm=proxy.url), make_file(size=SMALL)
    proxy.always("download", fault)
    with pytest.raises(StorageFull):
        store.stat(NAME)
    assert upload(store, file).sha1 == file[1]
    proxy.always("download", None)
    assert content(bucket) == file[0].read_bytes()


@pytest.mark.parametrize("call", ["b2_start_large_file", "b2_get_upload_part_url", "b2_finish_large_file"])
@pytest.mark.parametrize("fault", [BUSY, Answer(429), Answer(401, "expired_auth_token"), CutAnswer(1)], ids=repr)
def test_calls_around_the_parts_fail(
    make_store: MakeStore, make_file: MakeFile, bucket: Bucket, proxy: FaultyProxy, call: str, fault: Fault
) -> None:
    """Also when the call was carried out and only its answer was lost: then the next attempt finds the work done."""
    proxy.meet(call, fault)
    store, file = make_store(realm=proxy.url), make_file(size=BIG)
    assert upload(store, file).sha1 == file[1]
    assert content(bucket) == file[0].read_bytes()
    assert [version for version in versions(bucket) if version[0] == "upload"] == [("upload", BIG)]
    store.cancel_unfinished("videos/", older_than=datetime.now(UTC) + timedelta(days=1))
    assert versions(bucket) == [("upload", BIG)]


def test_account_tokens_expire_at_every_call(
    make_store: MakeStore, make_file: MakeFile, proxy: FaultyProxy, tmp_path: Path
) -> None:
    store, file = make_store(realm=proxy.url), make_file(size=BIG)
    calls = ["b2_list_buckets", "b2_start_large_file", "b2_list_file_names", "b2_list_file_versions"]
    for call in [*calls, "b2_delete_file_version", "b2_get_download_authorization", "b2_list_unfinished_large_files"]:
        proxy.meet(call, Answer(401, "expired_auth_token"))
    proxy.meet("download", None, Answer(401, "expired_auth_token"))
    upload(store, file)
    store.download(NAME, tmp_path / "back", sha1=file[1])
    assert [stored.name for stored in store.list("videos/")] == [NAME]
    assert store.authorize_download("videos/", 60)
    assert store.cancel_unfinished("videos/", older_than=datetime.now(UTC)) == 0
    assert store.delete(NAME) == 1


def test_a_revoked_key_is_refused(make_store: MakeStore, proxy: FaultyProxy) -> None:
    store = make_store(realm=proxy.url)
    assert store.stat(NAME) is None
    # A HEAD has no body to tell the code in, as at Backblaze.
    proxy.always("download", Answer(401, "bad_auth_token"))
    proxy.always("b2_list_file_names", Answer(401, "bad_auth_token"))
    proxy.always("b2_authorize_account", Answer(401, "bad_auth_token"))
    with pytest.raises(StorageRefused):
        store.stat(NAME)
    with pytest.raises(StorageRefused):
        list(store.list("videos/"))


@pytest.mark.parametrize(
    "fault", [BUSY, Answer(408), Answer(429), CutAnswer(0), CutAnswer(700_000), GarbleAnswer()], ids=repr
)
@pytest.mark.parametrize("size", [SMALL, 1_000_000, BIG])
def test_a_download_is_right_or_not_there(
    make_store: MakeStore, make_file: MakeFile, proxy: FaultyProxy, tmp_path: Path, size: int, fault: Fault
) -> None:
    file = make_file(size=size)
    upload(make_store(), file)
    store, target = make_store(realm=proxy.url), tmp_path / "target"
    proxy.meet("download", fault)
    if isinstance(fault, GarbleAnswer):
        with pytest.raises(ChecksumMismatch) as caught:
            store.download(NAME, target, sha1=file[1])
        assert caught.value.retryable
        assert not target.exists()
    store.download(NAME, target, sha1=file[1])
    assert target.read_bytes() == file[0].read_bytes()
    assert not list(tmp_path.glob("*.part"))


def test_a_download_that_never_gets_through_is_named(
    make_store: MakeStore, make_file: MakeFile, proxy: FaultyProxy, tmp_path: Path
) -> None:
    upload(make_store(), make_file(size=SMALL))
    proxy.always("download", CutAnswer(1000))
    with pytest.raises(StorageUnavailable):
        make_store(realm=proxy.url).download(NAME, tmp_path / "target")
    assert not list(tmp_path.glob("target*"))


def test_an_answer_of_somebody_else_is_no_answer(make_store: MakeStore, proxy: FaultyProxy) -> None:
    """A gate that wants a login answers 200 and a page."""
    proxy.always("b2_list_buckets", Answer(200, content=b"<html>Please log in</html>"))
    with pytest.raises(StorageUnavailable):
        make_store(realm=proxy.url).stat(NAME)


@pytest.mark.parametrize(
    ("retry_after", "paused"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("-5", 0.0),
        ("999999999", 10.0),
        ("9" * 3000, 10.0),
        ("9" * 5000, 1.0),
        ("soon", 1.0),
        ("Fri, 31 Dec 2999 23:59:59 GMT", 1.0),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_no_retry_after_holds_a_worker_for_long(
    make_store: MakeStore, proxy: FaultyProxy, slept: list[float], retry_after: str, paused: float, status: int
) -> None:
    proxy.meet("b2_list_buckets", Answer(status, "busy", {"Retry-After": retry_after}))
    assert make_store(realm=proxy.url).stat(NAME) is None
    assert slept == [paused]
