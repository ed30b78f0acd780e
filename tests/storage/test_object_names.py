"""Names that normalise to another name are refused before any request; every other name serves its own object."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from b2sdk.v3 import Bucket
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.storage.conftest import MakeFile
from worker.canvases.snapshots.backgrounds import NoBackground, fetch_background
from worker.storage.errors import ObjectMissing
from worker.storage.object_names import InvalidObjectName, check_name
from worker.storage.store import ObjectStore

HOSTILE = [
    "",
    "/",
    "/x",
    "x/",
    "a//b",
    ".",
    "..",
    "./images/kyc/x",
    "images/posts/../kyc/x",
    "images/posts/.",
    "../other-bucket/x",
    "../../b2api/v4/b2_list_buckets",
    "a/%2e%2e/b",
    "a/%2E./b",
    "a/%252e%252e/b",
    "a/..%2fb",
    "a%2Fb",
    "a%5cb",
    "a\\b",
    "..\\b",
    "a/%00",
    "a\x00b",
    "a\r\nHost: evil",
    "a\x7f",
    "a\x85b",
    "a/\ud800",
    "a/" + "x" * 251,
    "é" * 126,
    "/".join(["segment"] * 150),
]
GOOD = ["a", "images/posts/a grid.png", "ሒሳብ/ትምህርት.png", "a+b/c?d#e", "...", ".hidden/..a", "100%", "a%20b", "a;b=c"]

# Objects that nobody may reach by another name, and folders that boards may show.
PRIVATE = ["images/kyc/selfies/user_9/secret.png", "images/chat/secret.png", "secret.png", "documents/secret.png"]
PUBLIC = ["images/posts/grid.png", "images/blog/a b.png", "images/boards/.hidden.png"]

SEGMENTS = [
    ".",
    "..",
    "%2e",
    "%2E%2e",
    "%252e%252e",
    "..;",
    ".%2f",
    ".\\",
    "%5c",
    "\\",
    "?",
    ".hidden.png",
    "images",
    "posts",
    "blog",
    "boards",
    "kyc",
    "selfies",
    "user_9",
    "chat",
    "documents",
    "secret.png",
    "grid.png",
]
segments = st.sampled_from(["", "a b.png", "\t", *SEGMENTS])
hostile_paths = st.builds("/".join, st.lists(segments, min_size=1, max_size=8))


@pytest.mark.parametrize("name", HOSTILE)
def test_every_method_refuses_a_name_before_any_request(
    store: ObjectStore, sent: list[str], tmp_path: Path, name: str
) -> None:
    (tmp_path / "file").write_bytes(b"x")
    calls: list[Callable[[], Any]] = [
        lambda: store.upload(tmp_path / "file", name, content_type="text/plain"),
        lambda: store.stat(name),
        lambda: store.download(name, tmp_path / "target"),
        lambda: store.delete(name),
        lambda: store.url(name),
        lambda: store.signed_url(name, "token"),
    ]
    for call in calls:
        with pytest.raises(InvalidObjectName) as caught:
            call()
        assert caught.value.detail.isprintable()
    assert sent == []
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", [name for name in HOSTILE if name not in {"", "x/"}])
def test_every_method_refuses_a_prefix_before_any_request(store: ObjectStore, sent: list[str], name: str) -> None:
    calls: list[Callable[[], Any]] = [
        lambda: list(store.list(name)),
        lambda: store.cancel_unfinished(name, older_than=datetime.now(UTC)),
        lambda: store.authorize_download(f"{name}/", 60),
    ]
    for call in calls:
        with pytest.raises(InvalidObjectName):
            call()
    assert sent == []


def test_every_public_method_that_takes_a_name_or_prefix_is_in_the_tests_above() -> None:
    named = {
        method
        for method, function in vars(ObjectStore).items()
        if callable(function) and not method.startswith("_") and {"name", "prefix"} & set(function.__annotations__)
    }
    assert named == {
        *("upload", "stat", "download", "delete", "url", "signed_url"),
        *("list", "cancel_unfinished", "authorize_download"),
    }


@pytest.mark.parametrize("name", GOOD)
def test_a_good_name_comes_back_as_it_was_put(
    store: ObjectStore, make_file: MakeFile, tmp_path: Path, name: str
) -> None:
    path, sha1 = make_file(name.encode())
    store.upload(path, name, content_type="text/plain", sha1=sha1)
    store.download(name, tmp_path / "target")
    assert (tmp_path / "target").read_bytes() == name.encode()
    assert [stored.name for stored in store.list("")] == [name]
    assert store.delete(name) == 1


def test_objects_that_others_named_so_are_left_out_of_a_listing(store: ObjectStore, bucket: Bucket) -> None:
    for name in ("rec/../x", "rec/a", "rec/%2e%2e/x"):
        bucket.upload_bytes(b"x", name)
    assert [stored.name for stored in store.list("rec/")] == ["rec/a"]


@pytest.fixture
def filled(store: ObjectStore, bucket: Bucket) -> ObjectStore:
    """A bucket in which each object holds its own name."""
    for name in (*PRIVATE, *PUBLIC):
        bucket.upload_bytes(name.encode(), name)
    return store


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(name=st.one_of(hostile_paths, st.text(max_size=30), st.sampled_from(PRIVATE + PUBLIC)))
def test_the_object_that_is_served_is_the_one_that_was_named(filled: ObjectStore, tmp_path: Path, name: str) -> None:
    target = tmp_path / "target"
    target.unlink(missing_ok=True)
    try:
        filled.download(name, target)
    except (InvalidObjectName, ObjectMissing):
        assert not target.exists()
        assert name not in PRIVATE + PUBLIC
    else:
        assert target.read_bytes().decode() == name == check_name(name)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.one_of(hostile_paths, st.sampled_from(PRIVATE + PUBLIC)), as_address=st.booleans())
def test_no_background_shows_an_object_outside_the_public_folders(
    filled: ObjectStore, tmp_path: Path, path: str, as_address: bool
) -> None:
    target = tmp_path / "background"
    target.unlink(missing_ok=True)
    value = f"{filled.url('-').removesuffix('-')}{path}" if as_address else path
    # These objects are no pictures: what was fetched lies in the folder, and then it is refused as a picture.
    with pytest.raises(NoBackground):
        fetch_background(filled, value, session_id=1, folder=tmp_path)
    if target.exists():
        assert target.read_text() in PUBLIC
    assert target.exists() or path not in PUBLIC
