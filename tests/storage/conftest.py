"""Stores on the real emulator, each test in a bucket of its own."""

import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from b2sdk.v3 import B2Api, Bucket, InMemoryAccountInfo

from devstack.emulator.credentials import Credentials
from tests.storage.faulty_proxy import FaultyProxy, faulty_proxy
from worker.storage.store import ObjectStore

MakeStore = Callable[..., ObjectStore]
MakeFile = Callable[..., tuple[Path, str]]


class CountingSession(requests.Session):
    """A session that remembers what it sent, and adds headers that ask the emulator for failures."""

    def __init__(self, sent: list[str], headers: dict[str, str]) -> None:
        super().__init__()
        self._sent = sent
        self.headers.update(headers)

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        self._sent.append(f"{method} {url}")
        return super().request(method, url, *args, **options)


@pytest.fixture
def admin(b2: Credentials) -> B2Api:
    """The library with the master key, to look at what the store has done."""
    api = B2Api(InMemoryAccountInfo())
    api.authorize_account(b2.key_id, b2.application_key, realm=b2.realm)
    return api


@pytest.fixture
def bucket(admin: B2Api) -> Bucket:
    return admin.create_bucket(f"test-{secrets.token_hex(8)}", "allPrivate")


@pytest.fixture
def sent() -> list[str]:
    """Method and address of every request of the test's stores, in order."""
    return []


@pytest.fixture
def make_store(b2: Credentials, bucket: Bucket, sent: list[str], slept: list[float]) -> MakeStore:
    """`make_store(headers={...}, **options)`: a store on the test's bucket; its pauses pass at once."""

    def make(*, headers: dict[str, str] | None = None, **options: Any) -> ObjectStore:
        defaults: dict[str, Any] = {
            "key_id": b2.key_id,
            "application_key": b2.application_key,
            "bucket": bucket.name,
            "realm": b2.realm,
            "part_size": 5_000_000,
            "http_session": lambda: CountingSession(sent, headers or {}),
            "sleep": slept.append,
        }
        return ObjectStore(**{**defaults, **options})

    return make


@pytest.fixture
def proxy(b2: Credentials) -> Iterator[FaultyProxy]:
    """A proxy of the emulator that injects faults; `make_store(realm=proxy.url)` uses it."""
    with faulty_proxy(b2.realm) as proxy:
        yield proxy


@pytest.fixture
def slept() -> list[float]:
    """Every pause of the test's stores, in seconds, none of which took place."""
    return []


@pytest.fixture
def store(make_store: MakeStore) -> ObjectStore:
    return make_store()


@pytest.fixture
def make_file(tmp_path: Path) -> MakeFile:
    """`make_file(content)` or `make_file(size=…)`: a file of its own and its SHA-1."""

    def make(content: bytes | None = None, *, size: int = 1000) -> tuple[Path, str]:
        data = os.urandom(size) if content is None else content
        path = tmp_path / secrets.token_hex(8)
        path.write_bytes(data)
        return path, hashlib.sha1(data, usedforsecurity=False).hexdigest()

    return make
