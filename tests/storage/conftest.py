"""Stores on the real emulator, each test in a bucket of its own."""

import hashlib
import os
import secrets
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests
from b2sdk.v3 import B2Api, Bucket, InMemoryAccountInfo

from worker.dev.emulator.credentials import Credentials
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
def make_store(b2: Credentials, bucket: Bucket, sent: list[str]) -> MakeStore:
    """`make_store(headers={...}, **options)`: a store on the test's bucket; its pauses pass at once."""

    def make(*, headers: dict[str, str] | None = None, **options: Any) -> ObjectStore:
        defaults: dict[str, Any] = {
            "key_id": b2.key_id,
            "application_key": b2.application_key,
            "bucket": bucket.name,
            "realm": b2.realm,
            "part_size": 5_000_000,
            "http_session": lambda: CountingSession(sent, headers or {}),
            "sleep": lambda _seconds: None,
        }
        return ObjectStore(**{**defaults, **options})

    return make


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


class _Busy(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        body = b'{"status": 503, "code": "service_unavailable", "message": "busy"}'
        self.send_response(503)
        self.send_header("Retry-After", "0")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing to tell."""


@pytest.fixture
def busy_realm() -> Iterator[str]:
    """The address of a B2 that answers every call with 503."""
    with ThreadingHTTPServer(("127.0.0.1", 0), _Busy) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()
