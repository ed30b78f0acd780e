"""A B2 of its own for each test, in a thread of the test process, and the official library to talk to it."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import requests
import uvicorn
from b2sdk.v3 import B2Api, B2HttpApiConfig, Bucket, InMemoryAccountInfo

from devstack.emulator.app import create_emulator
from devstack.emulator.credentials import Credentials
from devstack.emulator.store.bucket_records import DEFAULT_BUCKET
from tests.waiting import TIMEOUT

Serve = Callable[..., Credentials]


@contextmanager
def serving(root: Path, **options: Any) -> Iterator[Credentials]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        app = create_emulator(root, **options)
        secrets = app.state.emulator.secrets
        realm = f"http://127.0.0.1:{listener.getsockname()[1]}"
        server = uvicorn.Server(uvicorn.Config(app, http="h11", ws="none", log_config=None, access_log=False))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        try:
            yield Credentials(realm, secrets.key_id, secrets.application_key, DEFAULT_BUCKET)
        finally:
            server.should_exit = True
            thread.join()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    """`serve(**options)`: start an emulator on the test's folder; it is stopped when the test ends."""
    with ExitStack() as stack:
        yield lambda **options: stack.enter_context(serving(tmp_path / "b2", **options))


@pytest.fixture
def b2_here(serve: Serve) -> Credentials:
    return serve()


def connect(credentials: Credentials, key_id: str | None = None, key: str | None = None, **headers: str) -> B2Api:
    """The official library, authorised; `headers` go with every request."""

    def session() -> requests.Session:
        session = requests.Session()
        session.headers.update(headers)
        return session

    api = B2Api(InMemoryAccountInfo(), api_config=B2HttpApiConfig(http_session_factory=session))
    api.authorize_account(key_id or credentials.key_id, key or credentials.application_key, realm=credentials.realm)
    return api


@pytest.fixture(name="connect")
def connect_fixture() -> Callable[..., B2Api]:
    return connect


@pytest.fixture
def api(b2_here: Credentials) -> B2Api:
    return connect(b2_here)


@pytest.fixture
def bucket(api: B2Api, b2_here: Credentials) -> Bucket:
    return api.get_bucket_by_name(b2_here.bucket)


@pytest.fixture
def call(api: B2Api) -> Callable[..., requests.Response]:
    """`call(name, version=4, token=None, **parameters)`: one JSON call, whatever its status."""

    def send(name: str, version: int = 4, token: str | None = None, **parameters: Any) -> requests.Response:
        info = api.account_info
        headers = {"Authorization": token or info.get_account_auth_token()}
        url = f"{info.get_api_url()}/b2api/v{version}/{name}"
        return requests.post(url, json=parameters, headers=headers, timeout=TIMEOUT)

    return send
