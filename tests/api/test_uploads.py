"""Uploads that are sent in pieces: tus 1.0 over the API."""

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.api.conftest import Bearer, VisitorOf
from tests.conftest import MakeSettings, School, Sql
from worker.access.callers import UserCaller
from worker.api.services import Services
from worker.database import Database
from worker.workflows.failure_hooks import ENDINGS

SOUND = (Path(__file__).parent.parent / "data" / "audio.webm").read_bytes()
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def services(settings: MakeSettings, database: Database, b2: Credentials, limits: dict[str, Any]) -> Services:
    return Services(settings(spool_reserve_bytes=0, **limits), database, endings=ENDINGS)


def metadata(**values: Any) -> str:
    """`Upload-Metadata` with these values."""
    return ",".join(f"{key} {base64.b64encode(str(value).encode()).decode()}" for key, value in values.items())


class Tus:
    """Requests of one person by the protocol."""

    def __init__(self, client: TestClient, token: dict[str, str], session_id: int) -> None:
        self.session_id = session_id
        self._client = client
        self._token = token

    def create(self, length: int | None, content: bytes | None = None, **changes: Any) -> Any:
        stated = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
        values = {"session_id": self.session_id, "filename": "lesson.webm"} | changes
        headers = self._token | (TUS if content is None else PIECE) | stated
        return self._client.post(
            "/v1/uploads", headers=headers | {"Upload-Metadata": metadata(**values)}, content=content
        )

    def start(self, length: int | None, **changes: Any) -> str:
        answer = self.create(length, **changes)
        assert answer.status_code == 201, answer.text
        return str(answer.headers["Location"])

    def patch(self, path: str, offset: int, content: bytes, **headers: str) -> Any:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        return self._client.patch(
            path, headers=self._token | PIECE | {"Upload-Offset": str(offset)} | more, content=content
        )

    def head(self, path: str) -> Any:
        return self._client.head(path, headers=self._token | TUS)

    def delete(self, path: str) -> Any:
        return self._client.delete(path, headers=self._token | TUS)

    def read(self, path: str) -> Any:
        return self._client.get(path, headers=self._token).json()


TusOf = Callable[[UserCaller], Tus]


@pytest.fixture
def tus_of(client: TestClient, bearer: Bearer, visitor: VisitorOf, school: School) -> TusOf:
    """`tus_of(school.tutor)`: uploads of this person to one session."""
    body = {"booking_id": school.booking_id, "session_title": "Algebra"}
    session_id = visitor(school.tutor).ask("POST", "/v1/whiteboard/sessions", body)[1]["id"]
    return lambda caller: Tus(client, bearer(caller), session_id)


@pytest.fixture
def tus(tus_of: TusOf, school: School) -> Tus:
    return tus_of(school.tutor)


def test_the_protocol_is_described(client: TestClient) -> None:
    answer = client.options("/v1/uploads")

    assert answer.status_code == 204
    assert answer.headers["Tus-Version"] == answer.headers["Tus-Resumable"] == "1.0.0"
    assert set(answer.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "expiration",
        "checksum",
        "termination",
    }
    assert answer.headers["Tus-Max-Size"] == "8000000000"
    assert answer.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"


def test_an_upload_in_pieces_becomes_a_recording(tus: Tus, sql: Sql, services: Services) -> None:
    path = tus.start(len(SOUND), type="board", title="Fractions")
    half = len(SOUND) // 2

    first = tus.patch(path, 0, SOUND[:half])
    head = tus.head(path)
    last = tus.patch(path, half, SOUND[half:])

    assert (first.status_code, first.headers["Upload-Offset"]) == (204, str(half))
    assert (head.status_code, head.headers["Upload-Offset"]) == (200, str(half))
    assert head.headers["Upload-Length"] == str(len(SOUND))
    assert head.headers["Cache-Control"] == "no-store"
    assert (last.status_code, last.headers["Upload-Offset"]) == (204, str(len(SOUND)))
    (recording,) = sql("SELECT * FROM whiteboard_session_recordings")
    assert (recording.recording_type, recording.recording_title) == ("board", "Fractions")
    assert services.context.spool.path(recording.spool_name).read_bytes() == SOUND
    document = tus.read(path)
    assert (document["state"], document["offset"]) == ("finished", len(SOUND))
    assert (document["recording_id"], document["job_id"]) == (recording.id, str(recording.job_id))


def test_a_live_upload_gets_its_length_at_the_end(tus: Tus) -> None:
    path = tus.start(None)

    tus.patch(path, 0, SOUND)
    assert tus.head(path).headers["Upload-Defer-Length"] == "1"
    answer = tus.patch(path, len(SOUND), b"", Upload_Length=str(len(SOUND)))

    assert answer.status_code == 204
    assert tus.read(path)["state"] == "finished"


def test_a_creation_may_bring_the_first_piece(tus: Tus) -> None:
    answer = tus.create(len(SOUND), SOUND)

    assert (answer.status_code, answer.headers["Upload-Offset"]) == (201, str(len(SOUND)))
    assert tus.read(answer.headers["Location"])["state"] == "finished"


def test_a_terminated_upload_is_gone(tus: Tus) -> None:
    path = tus.start(len(SOUND))
    tus.patch(path, 0, SOUND[:1000])

    assert tus.delete(path).status_code == 204

    assert tus.head(path).status_code == 410
    assert tus.read(path)["state"] == "terminated"
