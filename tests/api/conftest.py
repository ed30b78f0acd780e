"""The API over a test's own database: in this thread (`client`), and as a real server (`serve`)."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import httpx2
import pytest
import uvicorn
from fastapi import FastAPI
from starlette.testclient import TestClient
from starlette.types import Receive, Scope, Send

from tests.conftest import MakeSettings, School, Sql
from tests.waiting import TIMEOUT, wait_for
from worker.access.callers import Operator, UserCaller
from worker.access.issue_token import issue_operator_token, issue_token
from worker.api.app import create_api
from worker.api.services import Services
from worker.database import Database
from worker.settings import Settings

OPERATOR = Operator(3, frozenset({"manage-system-settings"}))


# A recording of two minutes that can be played; returns its id.
_PLAYABLE = """
    WITH session AS (INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id), recording AS (
        INSERT INTO whiteboard_session_recordings
               (session_id, is_available, source_sha1, duration_seconds, recording_metadata)
        SELECT id, true, repeat('a', 40), 120, '{"duration_ms": 120000}' FROM session RETURNING id)
    INSERT INTO recording_renditions (recording_id, name, state, object_name)
    SELECT id, 'playback', 'ready', 'play/playback' || id FROM recording RETURNING recording_id
"""


# Types of fixtures that are functions.
Bearer = Callable[[UserCaller | Operator], dict[str, str]]
Serve = Callable[[FastAPI], AbstractContextManager[str]]
Events = Iterator[dict[str, Any]]
EventStream = AbstractContextManager[tuple[httpx2.Response, Events]]
Stream = Callable[[str, dict[str, str]], EventStream]


def token_of(caller: UserCaller | Operator, settings: Settings) -> str:
    """A token as the platform signs it."""
    if isinstance(caller, Operator):
        return issue_operator_token(
            settings.signing_key, admin_id=caller.admin_id, departments=caller.departments, expires_in=600
        )
    named = {"tutor": caller.tutor_id, "student": caller.student_id, "parent": caller.parent_id}
    profiles = {name: profile_id for name, profile_id in named.items() if profile_id is not None}
    return issue_token(settings.signing_key, sub=caller.user_id, role=caller.role, role_ids=profiles)


@pytest.fixture
def operator() -> Operator:
    return OPERATOR


@pytest.fixture
def limits() -> dict[str, Any]:
    """Settings that a test changes, by `parametrize`."""
    return {}


@pytest.fixture
def services(settings: MakeSettings, database: Database, limits: dict[str, Any]) -> Services:
    return Services(settings(**limits), database, failure_hooks={})


@pytest.fixture(scope="session")
def documents() -> list[dict[str, Any]]:
    """The OpenAPI document once a test has asked for it: a second of CPU, and the same for every application."""
    return []


@pytest.fixture
def api(services: Services, documents: list[dict[str, Any]]) -> Iterator[FastAPI]:
    api = create_api(services)
    api.openapi_schema = documents[0] if documents else None
    yield api
    if api.openapi_schema is not None:
        documents[:] = [api.openapi_schema]


@pytest.fixture
def bearer(services: Services) -> Bearer:
    """`bearer(user)`: the header that makes a request theirs."""
    return lambda caller: {"Authorization": f"Bearer {token_of(caller, services.settings)}"}


class ApiClient:
    """Requests of one caller; `ask` returns the status and the JSON body."""

    def __init__(self, client: TestClient, headers: dict[str, str]) -> None:
        self._client = client
        self._headers = headers

    def send(self, method: str, path: str, body: Any = None, **options: Any) -> Any:
        headers = self._headers | options.pop("headers", {})
        if body is not None:
            # Not the client's own encoder: it refuses what hostile clients send.
            headers["Content-Type"] = "application/json"
            options["content"] = json.dumps(body).encode()
        return self._client.request(method, path, headers=headers, **options)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, Any]:
        response = self.send(method, path, body, **options)
        return response.status_code, response.json() if response.content else None

    def pages(self, path: str, *, limit: int) -> list[Any]:
        """The items of a list, fetched page by page; `path` has no limit and no cursor of its own."""
        items: list[Any] = []
        query = f"limit={limit}"
        while True:
            _, page = self.ask("GET", f"{path}{'&' if '?' in path else '?'}{query}")
            items += page["items"]
            if page["next"] is None:
                return items
            query = f"limit={limit}&cursor={page['next']}"


ClientFor = Callable[[UserCaller | Operator], ApiClient]


class _WholeResponses(httpx2.BaseTransport):
    """One call of the application for each request; a response is returned when it is complete.

    The client's own transport makes eight calls, for responses that stream: 2 of 7 ms of CPU.
    """

    def __init__(self, client: TestClient) -> None:
        self._client = client
        self._application = httpx2.ASGITransport(self._run, client=("testclient", 50000))

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        assert self._client.portal is not None
        # Then a body that a generator makes is one that the application can read.
        request.read()
        return self._client.portal.call(self._respond, request)

    async def _run(self, scope: Scope, receive: Receive, send: Send) -> None:
        host, port = scope["server"]
        # As servers pass it, also where the address has none.
        await self._client.app({**scope, "server": (host, port or 80)}, receive, send)

    async def _respond(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._application.handle_async_request(request)
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        body = b"".join([piece async for piece in response.stream])
        return httpx2.Response(response.status_code, headers=response.headers.raw, stream=httpx2.ByteStream(body))


@pytest.fixture
def client(api: FastAPI) -> Iterator[TestClient]:
    with TestClient(api) as client:
        client._transport = _WholeResponses(client)
        yield client


@pytest.fixture
def client_for(client: TestClient, bearer: Bearer) -> ClientFor:
    """`client_for(school.tutor)`: a client with that caller's token."""
    return lambda caller: ApiClient(client, bearer(caller))


@pytest.fixture
def recording_path(school: School, sql: Sql) -> str:
    """The address of a recording of the school's booking that can be played, two minutes long."""
    return f"/v1/recordings/{sql(_PLAYABLE, booking=school.booking_id)[0][0]}"


@contextmanager
def _serving(api: FastAPI) -> Iterator[str]:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        config = uvicorn.Config(api, log_config=None, access_log=False, timeout_graceful_shutdown=2)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        try:
            wait_for(lambda: server.started)
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(TIMEOUT)
            assert not thread.is_alive()


@pytest.fixture
def serve() -> Serve:
    """`with serve(api) as url`: a real server on a free port."""
    return _serving


def _events(lines: Iterator[str]) -> Events:
    """Server-sent events, comments left out, `data` read."""
    event: dict[str, Any] = {}
    for line in lines:
        if line and not line.startswith(":"):
            name, _, value = line.partition(": ")
            event[name] = json.loads(value) if name == "data" else value
        elif event:
            yield event
            event = {}


@contextmanager
def _streaming(url: str, headers: dict[str, str]) -> Iterator[tuple[httpx2.Response, Events]]:
    with (
        httpx2.Client(timeout=TIMEOUT, trust_env=False) as client,
        client.stream("GET", url, headers=headers) as response,
    ):
        yield response, _events(response.iter_lines())


@pytest.fixture
def stream() -> Stream:
    """`with stream(url, headers) as (answer, events)`: an open stream of server-sent events."""
    return _streaming
