"""Uploads in pieces at API processes with different spools: each names the one that has the bytes."""

import secrets
from pathlib import Path
from typing import NamedTuple

import httpx2
import pytest
from starlette.testclient import TestClient

from devstack.ports import free_port, retry_while_port_taken
from tests.api.conftest import Bearer, ClientFor
from tests.api.uploads.test_uploads import PIECE, SOUND, TUS, metadata
from tests.conftest import MakeSettings, Processes, School, Sql
from tests.waiting import TIMEOUT
from worker.api.services import Services
from worker.database import Database
from worker.settings import Settings

ORIGIN = "https://astegni.example"


@pytest.fixture
def api_settings(settings: MakeSettings, database_url: str, redis_url: str) -> Settings:
    # Another key than the development's: that one opens no process that names a database.
    return settings(secret_key=secrets.token_hex(32), spool_reserve_bytes=0, cors_origins=(ORIGIN,))


@pytest.fixture
def services(api_settings: Settings, database: Database) -> Services:
    return Services(api_settings, database, failure_hooks={})


class Machine(NamedTuple):
    """An API with a spool of its own."""

    url: str
    spool: Path


class Machines:
    """`start(name)`: a machine, `with_base` one that says where it is reached. The tutor's session and token."""

    def __init__(self, processes: Processes, settings: Settings, token: dict[str, str], session_id: int) -> None:
        self._processes = processes
        self._settings = settings
        self.token = token
        self._session_id = session_id

    def start(self, name: str, *, with_base: bool = True) -> Machine:
        spool = self._settings.spool_dir.with_name(name)

        def begin() -> str:
            port = free_port()
            base = f"http://127.0.0.1:{port}" if with_base else None
            changes = {"spool_id": name, "spool_dir": spool, "upload_base_url": base}
            return self._processes.api(self._settings.model_copy(update=changes), port=port)[0]

        return Machine(retry_while_port_taken(begin), spool)

    def create(self, machine: Machine) -> str:
        """The `Location` of a new upload."""
        headers = TUS | {"Upload-Length": str(len(SOUND)), "Upload-Metadata": metadata(session_id=self._session_id)}
        response = self.ask("POST", f"{machine.url}/v1/uploads", headers)
        assert response.status_code == 201, response.text
        return response.headers["Location"]

    def ask(self, method: str, url: str, headers: dict[str, str], content: bytes = b"") -> httpx2.Response:
        return httpx2.request(
            method, url, headers=self.token | headers, content=content, trust_env=False, timeout=TIMEOUT
        )


@pytest.fixture
def machines(
    client: TestClient,
    bearer: Bearer,
    client_for: ClientFor,
    school: School,
    api_settings: Settings,
    processes: Processes,
) -> Machines:
    body = {"booking_id": school.booking_id, "session_title": "Algebra"}
    session_id = client_for(school.tutor).ask("POST", "/v1/whiteboard/sessions", body)[1]["id"]
    return Machines(processes, api_settings, bearer(school.tutor), session_id)


REQUESTS = {
    "head": ("HEAD", TUS, b""),
    "small-piece": ("PATCH", PIECE | {"Upload-Offset": "0"}, SOUND[:5000]),
    "large-piece": ("PATCH", PIECE | {"Upload-Offset": "0"}, bytes(200_000)),
    "overridden": ("POST", PIECE | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}, SOUND[:5000]),
    "delete": ("DELETE", TUS, b""),
    "get": ("GET", {}, b""),
}


def test_every_request_is_sent_to_the_api_that_has_the_bytes(machines: Machines, sql: Sql) -> None:
    owner, other = machines.start("addis-1"), machines.start("addis-2")
    location = machines.create(owner)
    assert location.startswith(f"{owner.url}/v1/uploads/")
    path = location.removeprefix(owner.url)

    for name, (method, headers, content) in REQUESTS.items():
        answer = machines.ask(method, other.url + path, headers | {"Origin": ORIGIN}, content)

        assert (answer.status_code, answer.headers["Location"]) == (421, location), name
        assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN, name
        assert "Location" in answer.headers["Access-Control-Expose-Headers"], name
        if method != "HEAD":
            problem = answer.json()
            assert (problem["code"], problem["location"]) == ("misdirected-request", location), name
            assert problem["title"] == "Misdirected Request"

    assert sql("SELECT state, recording_id FROM uploads")[0].state == "open"
    assert list(other.spool.glob("*.upload")) == []
    piece = machines.ask("PATCH", location, PIECE | {"Upload-Offset": "0"}, SOUND)
    assert (piece.status_code, piece.headers["Upload-Offset"]) == (204, str(len(SOUND)))
    # Once it is a recording it needs no bytes of the spool.
    assert machines.ask("HEAD", other.url + path, TUS).headers["Upload-Offset"] == str(len(SOUND))
    assert machines.ask("GET", other.url + path, {}).json()["state"] == "finished"


def test_others_learn_neither_the_upload_nor_its_address(machines: Machines, bearer: Bearer, school: School) -> None:
    owner, other = machines.start("addis-1"), machines.start("addis-2")
    path = machines.create(owner).removeprefix(owner.url)
    machines.token = bearer(school.other_tutor)

    for name, (method, headers, content) in REQUESTS.items():
        answer = machines.ask(method, other.url + path, headers, content)

        assert answer.status_code == 404, name
        assert "Location" not in answer.headers, name


def test_without_an_address_the_spool_is_named_as_before(machines: Machines) -> None:
    owner, other = machines.start("addis-1", with_base=False), machines.start("addis-2")
    path = machines.create(owner)
    assert path.startswith("/v1/uploads/")

    for name in ("head", "small-piece", "large-piece"):
        method, headers, content = REQUESTS[name]
        answer = machines.ask(method, other.url + path, headers, content)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5"), name
        assert "Location" not in answer.headers
    assert answer.json()["spool"] == "addis-1"
    assert machines.ask("GET", other.url + path, {}).json()["state"] == "open"
    assert machines.ask("DELETE", other.url + path, TUS).status_code == 204
    assert machines.ask("HEAD", owner.url + path, TUS).status_code == 410
