"""What a person has open is limited across all API processes."""

import secrets
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI

from tests.api.conftest import Bearer, Serve, Stream
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.waiting import TIMEOUT, wait_for
from worker.api.app import create_api
from worker.api.services import Services
from worker.database import Database
from worker.settings import Settings
from worker.uploads.open_uploads import OpenUploads


@pytest.fixture
def settings_of_both(settings: MakeSettings, database_url: str, redis_url: str) -> Settings:
    # Another key than the development's: that one opens no process that names a database.
    return settings(secret_key=secrets.token_hex(32), limit_event_streams=2, limit_open_uploads=2)


@pytest.fixture
def services(settings_of_both: Settings, database: Database) -> Services:
    return Services(settings_of_both, database, failure_hooks={})


def _status(url: str, headers: dict[str, str]) -> int:
    """The status of a stream that is closed at once."""
    with httpx2.Client(trust_env=False) as client, client.stream("GET", url, headers=headers) as response:
        return response.status_code


def test_streams_at_two_processes(
    school: School,
    api: FastAPI,
    serve: Serve,
    settings_of_both: Settings,
    processes: Processes,
    bearer: Bearer,
    stream: Stream,
    sql: Sql,
) -> None:
    headers, path = bearer(school.student), "/v1/me/notifications/events"
    first, killed = processes.api(settings_of_both)
    with serve(api) as second, ExitStack() as opened:
        for url in (first, second):
            response, _events = opened.enter_context(stream(url + path, headers))
            assert response.status_code == 200
        for url in (first, second):
            refused = httpx2.get(url + path, headers=headers, trust_env=False)
            assert (refused.status_code, refused.json()["limit"]) == (429, "event-streams")
        assert _status(second + path, bearer(school.tutor)) == 200
        killed.kill()
        assert _status(second + path, headers) == 429
        # A minute later, as far as the killed process is concerned: the other one renews its leases.
        sql("UPDATE limit_leases SET expires_at = expires_at - interval '60 s'")
        wait_for(lambda: _status(second + path, headers) == 200)


@contextmanager
def _half_upload(url: str, headers: dict[str, str]) -> Iterator[bytes]:
    """An upload of which nothing has come yet; what the server says first."""
    address = urlsplit(url)
    with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT) as connection:
        connection.sendall(
            f"POST /v1/recordings HTTP/1.1\r\nHost: a\r\nAuthorization: {headers['Authorization']}\r\n"
            "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n"
            "Expect: 100-continue\r\n\r\n".encode()
        )
        yield connection.recv(100)


def _application(settings: Settings, database: Database) -> FastAPI:
    services = Services(settings, database, failure_hooks={})
    # The application asks for it in every request, so this one is it.
    vars(services)["open_uploads"] = OpenUploads(services.leases, settings.limit_open_uploads, 0, timeout=0.2)
    return create_api(services)


def test_uploads_at_two_applications(
    school: School, settings_of_both: Settings, database: Database, serve: Serve, bearer: Bearer
) -> None:
    headers = bearer(school.tutor)
    with (
        serve(_application(settings_of_both, database)) as first,
        serve(_application(settings_of_both, database)) as second,
    ):
        with _half_upload(first, headers) as first_reply, _half_upload(second, headers) as second_reply:
            assert (first_reply[:12], second_reply[:12]) == (b"HTTP/1.1 100", b"HTTP/1.1 100")
            for url in (first, second):
                with _half_upload(url, headers) as refused:
                    assert refused.startswith(b"HTTP/1.1 429")

        def is_taken() -> bool:
            with _half_upload(second, headers) as response:
                return response.startswith(b"HTTP/1.1 100")

        wait_for(is_taken)
