"""Uploads in pieces at several API processes on one spool: replaced requests, kills, what was acknowledged."""

import secrets
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.testclient import TestClient

from devstack.process import ChildProcess
from tests.api.conftest import Bearer, ClientFor
from tests.api.uploads.test_uploads import PIECE, SOUND, TUS, metadata
from tests.conftest import MakeSettings, Processes, School
from tests.waiting import TIMEOUT, wait_for
from worker.api.services import Services
from worker.database import Database
from worker.settings import Settings


@pytest.fixture
def api_settings(settings: MakeSettings, database_url: str, redis_url: str) -> Settings:
    # Another key than the development's: that one opens no process that names a database.
    return settings(secret_key=secrets.token_hex(32), spool_reserve_bytes=0)


@pytest.fixture
def services(api_settings: Settings, database: Database) -> Services:
    return Services(api_settings, database, failure_hooks={})


class Upload:
    """One upload, continued at the process whose address is given."""

    def __init__(self, url: str, token: dict[str, str], session_id: int, spool: Path) -> None:
        self._token = token
        headers = TUS | {"Upload-Defer-Length": "1", "Upload-Metadata": metadata(session_id=session_id)}
        response = httpx2.post(f"{url}/v1/uploads", headers=token | headers, trust_env=False)
        assert response.status_code == 201, response.text
        self.path = response.headers["Location"]
        self.file = spool / f"{self.path.rpartition('/')[2]}.upload"

    def offset(self, url: str) -> int:
        response = httpx2.head(url + self.path, headers=self._token | TUS, trust_env=False, timeout=TIMEOUT)
        assert response.status_code == 200
        return int(response.headers["Upload-Offset"])

    def patch(self, url: str, offset: int, content: bytes, **headers: str) -> httpx2.Response:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return httpx2.patch(
            url + self.path,
            headers=self._token | PIECE | {"Upload-Offset": str(offset)} | more,
            content=content,
            trust_env=False,
            timeout=TIMEOUT,
        )

    @contextmanager
    def hanging(self, url: str, offset: int, length: int, beginning: bytes) -> Iterator[socket.socket]:
        """A PATCH of `length` bytes of which only `beginning` comes, for now."""
        address = urlsplit(url)
        lines = self._token | PIECE | {"Upload-Offset": str(offset), "Content-Length": str(length), "Host": "a"}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        with socket.create_connection((address.hostname, address.port), timeout=TIMEOUT) as connection:
            connection.sendall(f"PATCH {self.path} HTTP/1.1\r\n{head}\r\n".encode() + beginning)
            yield connection


Api = tuple[str, ChildProcess]


@pytest.fixture
def apis(processes: Processes, api_settings: Settings) -> tuple[Api, Api]:
    return processes.api(api_settings), processes.api(api_settings)


@pytest.fixture
def upload_at(
    client: TestClient, bearer: Bearer, client_for: ClientFor, school: School, api_settings: Settings
) -> Callable[[str], Upload]:
    body = {"booking_id": school.booking_id, "session_title": "Algebra"}
    session_id = client_for(school.tutor).ask("POST", "/v1/whiteboard/sessions", body)[1]["id"]
    return lambda url: Upload(url, bearer(school.tutor), session_id, api_settings.spool_dir)


def _status(connection: socket.socket) -> bytes:
    return connection.recv(1000).split(b"\r\n")[0]


# Larger than what an API process stores at once, so that a part is stored while the rest is waited for.
LARGE = SOUND + bytes(3_000_000)


@pytest.mark.parametrize("taker", [0, 1], ids=["the-same-process", "another-process"])
def test_a_request_that_hangs_is_replaced(
    apis: tuple[Api, Api], upload_at: Callable[[str], Upload], taker: int
) -> None:
    first, other = apis[0][0], apis[taker][0]
    upload = upload_at(first)
    with upload.hanging(first, 0, len(LARGE), LARGE[:2_000_000]) as stale:
        wait_for(lambda: upload.file.stat().st_size >= 1_000_000)

        offset = upload.offset(other)
        assert 1_000_000 <= offset <= 2_000_000
        assert upload.patch(other, offset, LARGE[offset : offset + 5000]).status_code == 204

        stale.sendall(b"\xee" * (len(LARGE) - 2_000_000))
        assert b" 409 " in _status(stale)
    assert upload.file.read_bytes() == LARGE[: offset + 5000]
    rest = upload.patch(first, offset + 5000, LARGE[offset + 5000 :], Upload_Length=str(len(LARGE)))
    assert (rest.status_code, rest.headers["Upload-Offset"]) == (204, str(len(LARGE)))


def test_requests_at_once_do_not_interleave(apis: tuple[Api, Api], upload_at: Callable[[str], Upload]) -> None:
    urls = [apis[0][0], apis[1][0]]
    upload = upload_at(urls[0])
    contents = [SOUND[:10] + bytes([number]) * 2_500_000 for number in (1, 2)]
    with (
        upload.hanging(urls[0], 0, len(contents[0]), contents[0][:10]) as first,
        upload.hanging(urls[1], 0, len(contents[1]), contents[1][:10]) as second,
    ):
        for connection, content in ((first, contents[0]), (second, contents[1])):
            connection.sendall(content[10:])
        statuses = sorted(_status(connection).split()[1] for connection in (first, second))

    beginning = upload.file.read_bytes()
    assert statuses in ([b"204", b"409"], [b"409", b"409"])
    assert any(content.startswith(beginning) for content in contents)


def test_what_was_acknowledged_survives_a_kill(
    apis: tuple[Api, Api], upload_at: Callable[[str], Upload], school: School
) -> None:
    (url, process), (other, _) = apis
    upload = upload_at(url)
    for at in (0, 5000):
        assert upload.patch(url, at, SOUND[at : at + 5000]).status_code == 204
    with upload.hanging(url, 10_000, 4_000_000, bytes(2_000_000)):
        wait_for(lambda: upload.file.stat().st_size >= 1_000_000)
        process.kill()

        offset = upload.offset(other)

    assert offset >= 1_000_000
    assert upload.file.read_bytes() == SOUND[:10_000] + bytes(offset - 10_000)
    assert upload.patch(other, offset, b"", Upload_Length=str(offset)).status_code == 204
    state: Any = httpx2.get(other + upload.path, headers=upload._token, trust_env=False).json()
    assert (state["state"], state["offset"]) == ("finished", offset)


def test_what_came_slowly_before_a_disconnect_is_kept(
    apis: tuple[Api, Api], upload_at: Callable[[str], Upload]
) -> None:
    url = apis[0][0]
    upload = upload_at(url)
    with upload.hanging(url, 0, len(SOUND), SOUND[:1000]) as connection:
        size = 1000

        def send_more() -> bool:
            nonlocal size
            connection.sendall(SOUND[size : size + 100])
            size += 100
            return upload.file.stat().st_size > 0

        wait_for(send_more, pause=0.2)

    offset = upload.offset(url)
    assert 1000 <= offset <= size
    assert upload.file.read_bytes() == SOUND[:offset]
    assert upload.patch(url, offset, SOUND[offset : offset + 1000]).status_code == 204
