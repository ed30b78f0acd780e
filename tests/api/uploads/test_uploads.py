"""Uploads that are sent in pieces: tus 1.0 over the API."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient
from structlog.testing import capture_logs

from devstack.emulator.credentials import Credentials
from tests.api.conftest import Bearer, ClientFor
from tests.conftest import MakeSettings, School, Sql
from worker.access.callers import UserCaller
from worker.api.services import Services
from worker.database import Database
from worker.uploads.appender import Appender
from worker.uploads.upload_piece import UploadPiece
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

SOUND = (Path(__file__).parents[2] / "data" / "audio.webm").read_bytes()
TUS = {"Tus-Resumable": "1.0.0"}
PIECE = TUS | {"Content-Type": "application/offset+octet-stream"}


@pytest.fixture
def services(settings: MakeSettings, database: Database, b2: Credentials, limits: dict[str, Any]) -> Services:
    return Services(settings(**({"spool_reserve_bytes": 0} | limits)), database, failure_hooks=FAILURE_HOOKS)


def metadata(**values: Any) -> str:
    """`Upload-Metadata` with these values."""
    return ",".join(f"{key} {base64.b64encode(str(value).encode()).decode()}" for key, value in values.items())


def in_latin(headers: Mapping[str, str]) -> dict[bytes, bytes]:
    """The headers as a server may get them: not all clients limit them to ASCII."""
    return {name.encode(): value.encode("latin-1") for name, value in headers.items()}


class Tus:
    """Requests of one person by the protocol."""

    def __init__(self, client: TestClient, token: dict[str, str], session_id: int) -> None:
        self.session_id = session_id
        self._client = client
        self._token = token

    def create(self, length: int | None, content: bytes | None = None, **changes: Any) -> Any:
        length_header = {"Upload-Defer-Length": "1"} if length is None else {"Upload-Length": str(length)}
        values = {"session_id": self.session_id, "filename": "lesson.webm"} | changes
        headers = self._token | (TUS if content is None else PIECE) | length_header
        return self._client.post(
            "/v1/uploads", headers=headers | {"Upload-Metadata": metadata(**values)}, content=content
        )

    def start(self, length: int | None, **changes: Any) -> str:
        response = self.create(length, **changes)
        assert response.status_code == 201, response.text
        return str(response.headers["Location"])

    def patch(self, path: str, offset: int, content: bytes | Iterator[bytes], **headers: str) -> Any:
        more = {name.replace("_", "-"): value for name, value in headers.items()}
        all_headers = self._token | PIECE | {"Upload-Offset": str(offset)} | more
        return self._client.patch(path, headers=in_latin(all_headers), content=content)

    def head(self, path: str) -> Any:
        return self._client.head(path, headers=self._token | TUS)

    def delete(self, path: str) -> Any:
        return self._client.delete(path, headers=self._token | TUS)

    def read(self, path: str) -> Any:
        return self._client.get(path, headers=self._token).json()


TusOf = Callable[[UserCaller], Tus]


@pytest.fixture
def tus_of(client: TestClient, bearer: Bearer, client_for: ClientFor, school: School) -> TusOf:
    """`tus_of(school.tutor)`: uploads of this person to one session."""
    body = {"booking_id": school.booking_id, "session_title": "Algebra"}
    session_id = client_for(school.tutor).ask("POST", "/v1/whiteboard/sessions", body)[1]["id"]
    return lambda caller: Tus(client, bearer(caller), session_id)


@pytest.fixture
def tus(tus_of: TusOf, school: School) -> Tus:
    return tus_of(school.tutor)


def test_the_protocol_is_described(client: TestClient) -> None:
    response = client.options("/v1/uploads")

    assert response.status_code == 204
    assert response.headers["Tus-Version"] == response.headers["Tus-Resumable"] == "1.0.0"
    assert set(response.headers["Tus-Extension"].split(",")) == {
        "creation",
        "creation-with-upload",
        "creation-defer-length",
        "expiration",
        "checksum",
        "termination",
    }
    assert response.headers["Tus-Max-Size"] == "8000000000"
    assert response.headers["Tus-Checksum-Algorithm"] == "sha1,sha256"


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


def test_the_log_says_whose_upload_it_is_so_that_its_file_is_of_use_without_its_row(tus: Tus) -> None:
    with capture_logs() as lines:
        path = tus.start(None, type="board")

    (created,) = [line for line in lines if line["event"] == "upload_created"]
    assert path.endswith(created["upload_id"])
    assert (created["session_id"], created["type"]) == (tus.session_id, "board")
    assert created["recorded_by"] is not None


def test_refused_pieces_are_lines_of_the_log_and_stored_ones_are_not(tus: Tus) -> None:
    path = tus.start(None)

    with capture_logs() as lines:
        assert tus.patch(path, 0, SOUND[:5000]).status_code == 204
        assert tus.patch(path, 0, SOUND[:5000]).status_code == 409

    written = [line for line in lines if line["event"] == "request" and line["log_level"] != "debug"]
    assert [(line["method"], line["route"], line["status"]) for line in written] == [
        ("PATCH", "/v1/uploads/{upload_id}", 409)
    ]


def test_a_live_upload_gets_its_length_at_the_end(tus: Tus) -> None:
    path = tus.start(None)

    tus.patch(path, 0, SOUND)
    assert tus.head(path).headers["Upload-Defer-Length"] == "1"
    response = tus.patch(path, len(SOUND), b"", Upload_Length=str(len(SOUND)))

    assert response.status_code == 204
    assert tus.read(path)["state"] == "finished"


def test_the_metadata_can_be_read_again(tus: Tus) -> None:
    values = {
        "session_id": tus.session_id,
        "title": "ሒሳብ",
        "type": "board",
        "filename": "lesson 1.webm",
        "filetype": "audio/webm;codecs=opus",
        "started_at": "2026-11-29T08:00:00.250Z",
        "clock_offset_ms": -40,
    }
    assert tus.head(tus.start(None, **values)).headers["Upload-Metadata"] == metadata(**values)


def test_a_creation_may_bring_the_first_piece(tus: Tus) -> None:
    response = tus.create(len(SOUND), SOUND)

    assert (response.status_code, response.headers["Upload-Offset"]) == (201, str(len(SOUND)))
    assert tus.read(response.headers["Location"])["state"] == "finished"


def test_a_terminated_upload_is_gone(tus: Tus) -> None:
    path = tus.start(len(SOUND))
    tus.patch(path, 0, SOUND[:1000])

    assert tus.delete(path).status_code == 204

    assert tus.head(path).status_code == 410
    assert tus.read(path)["state"] == "terminated"


def test_pieces_sent_again_or_elsewhere_change_nothing(tus: Tus) -> None:
    path = tus.start(len(SOUND))
    tus.patch(path, 0, SOUND[:5000])

    again = tus.patch(path, 0, SOUND[:5000])
    beyond = tus.patch(path, 6000, SOUND[6000:7000])

    assert {again.status_code, beyond.status_code} == {409}
    assert again.json()["code"] == "wrong-offset"
    assert again.json()["offset"] == 5000
    assert tus.head(path).headers["Upload-Offset"] == "5000"


def test_finishing_is_idempotent(tus: Tus, sql: Sql) -> None:
    path = tus.start(len(SOUND))
    tus.patch(path, 0, SOUND)

    again = tus.patch(path, len(SOUND), b"")

    assert (again.status_code, again.headers["Upload-Offset"]) == (204, str(len(SOUND)))
    assert tus.head(path).headers["Upload-Offset"] == str(len(SOUND))
    assert tus.patch(path, 0, SOUND).status_code == 409
    assert sql("SELECT count(*) AS n FROM whiteboard_session_recordings")[0].n == 1


@pytest.mark.parametrize("size", [1000, 2_000_000])
def test_a_wrong_checksum_leaves_the_offset(tus: Tus, size: int) -> None:
    content = SOUND[:1000] + b"\x00" * (size - 1000)
    path = tus.start(None)
    wrong = base64.b64encode(hashlib.sha1(b"else", usedforsecurity=False).digest()).decode()
    right = base64.b64encode(hashlib.sha256(content).digest()).decode()

    refusal = tus.patch(path, 0, content, Upload_Checksum=f"sha1 {wrong}")

    assert (refusal.status_code, refusal.json()["code"]) == (460, "checksum-mismatch")
    assert tus.head(path).headers["Upload-Offset"] == "0"
    success = tus.patch(path, 0, content, Upload_Checksum=f"sha256 {right}")
    assert (success.status_code, success.headers["Upload-Offset"]) == (204, str(size))


@pytest.mark.parametrize("header", ["md5 1B2M2Y8AsgTpgAmY7PhCfg==", "sha1 !", "sha1 é", "sha1 AAAA", ""])
def test_a_checksum_that_cannot_be_read_is_refused(tus: Tus, header: str) -> None:
    path = tus.start(None)

    assert tus.patch(path, 0, SOUND[:1000], Upload_Checksum=header).status_code == 422
    assert tus.head(path).headers["Upload-Offset"] == "0"


def test_sizes_are_checked_at_creation_and_at_every_piece(tus: Tus) -> None:
    too_large = tus.create(8_000_000_001)
    path = tus.start(2000)
    tus.patch(path, 0, SOUND[:1500])

    assert (too_large.status_code, too_large.json()["code"]) == (413, "too-large")
    assert tus.patch(path, 1500, SOUND[1500:2100]).status_code == 413
    assert tus.create(0).status_code == 422
    assert tus.head(path).headers["Upload-Offset"] == "1500"


@pytest.mark.parametrize(
    "content",
    [b"\x89PNG\r\n\x1a\n" + bytes(2000), b"PK\3\4" + bytes(20), b"<!doctype html>" + b" " * 2000, b"just text " * 200],
    ids=["picture", "archive", "page", "text"],
)
def test_what_is_no_recording_is_refused_at_its_first_bytes(tus: Tus, content: bytes) -> None:
    path = tus.start(5_000_000)

    response = tus.patch(path, 0, content)

    assert (response.status_code, response.json()["code"]) == (422, "media-rejected")
    assert tus.head(path).headers["Upload-Offset"] == "0"
    assert tus.create(5_000_000, content).status_code == 422


def test_first_bytes_in_tiny_pieces_are_checked_together(tus: Tus) -> None:
    path = tus.start(5000)
    for at in range(0, 1000, 100):
        assert tus.patch(path, at, b"x" * 100).status_code == 204

    assert tus.patch(path, 1000, b"x" * 100).status_code == 422


@pytest.mark.parametrize("filetype", ["image/png", "text/html", "application/pdf"])
def test_other_types_are_refused_at_creation(tus: Tus, filetype: str) -> None:
    assert tus.create(5000, filetype=filetype).status_code == 422
    assert tus.create(5000, filetype="video/webm;codecs=vp9,opus").status_code == 201


def test_metadata_is_checked_and_what_clients_add_is_ignored(tus: Tus) -> None:
    assert tus.create(5000, relativePath="x/y", name="lesson", type="video/webm").status_code == 201
    assert tus.create(5000, session_id="one").status_code == 422
    assert tus.create(5000, started_at="yesterday").status_code == 422
    assert tus.create(5000, clock_offset_ms="-1200", started_at="2027-01-04T11:00:00Z").status_code == 201


@pytest.mark.parametrize("value", ["title !", "title é", "title /w=="])
def test_metadata_that_is_not_base64_of_utf8_is_refused(
    client: TestClient, bearer: Bearer, school: School, value: str
) -> None:
    headers = bearer(school.tutor) | TUS | {"Upload-Length": "5000", "Upload-Metadata": value}
    assert client.post("/v1/uploads", headers=in_latin(headers)).status_code == 422


@pytest.mark.parametrize(
    "started_at", ["1970-01-01T00:03:00.000Z", "0001-01-01T00:00:00+14:00", "2124-01-01T00:00:00Z"]
)
def test_a_recorder_whose_clock_was_wrong_at_the_start_may_upload(tus: Tus, started_at: str) -> None:
    path = tus.start(5000, started_at=started_at, clock_offset_ms=56 * 365 * 86_400_000)

    assert tus.read(path)["started_at"] is None


def test_another_version_of_the_protocol_is_refused(
    client: TestClient, tus: Tus, bearer: Bearer, school: School
) -> None:
    path = tus.start(5000)
    for version in ({}, {"Tus-Resumable": "0.2.2"}):
        response = client.head(path, headers=bearer(school.tutor) | version)
        assert (response.status_code, response.headers["Tus-Version"]) == (412, "1.0.0")


def test_only_the_creator_sees_an_upload(tus_of: TusOf, school: School) -> None:
    mine, others = tus_of(school.tutor), tus_of(school.other_tutor)
    path = mine.start(5000)

    assert others.create(5000).status_code == 404
    assert others.head(path).status_code == others.patch(path, 0, SOUND[:100]).status_code == 404
    assert others.delete(path).status_code == 404
    assert mine.head("/v1/uploads/" + "0" * 32).status_code == 404
    assert mine.head("/v1/uploads/none").status_code == 404
    # The student of the lesson sees the session, and does not record it.
    assert tus_of(school.student).create(5000).status_code == 403


def test_marks_of_the_recorder_are_kept(tus: Tus, sql: Sql) -> None:
    path = tus.start(len(SOUND))
    pause, gap = {"kind": "pause", "from_ms": 5000, "to_ms": 9000}, {"kind": "gap", "from_ms": 1000, "to_ms": 1500}

    tus.patch(path, 0, SOUND[:2000], Upload_Marks=json.dumps([pause]))
    tus.patch(path, 2000, SOUND[2000:], Upload_Marks=json.dumps([pause, gap]))

    document = tus.read(path)
    assert (document["marks"], document["gaps"]) == ([gap, pause], [gap])
    assert sql("SELECT marks FROM whiteboard_session_recordings")[0].marks == [gap, pause]


@pytest.mark.parametrize(
    "marks", ["{}", "[1]", '[{"kind":"x","from_ms":0,"to_ms":1}]', '[{"kind":"gap","from_ms":2,"to_ms":1}]', "["]
)
def test_marks_that_cannot_be_read_are_refused(tus: Tus, marks: str) -> None:
    path = tus.start(5000)

    assert tus.patch(path, 0, SOUND[:100], Upload_Marks=marks).status_code == 422


def test_marks_of_a_recorder_whose_clock_was_set_are_left_out(tus: Tus) -> None:
    path = tus.start(5000)
    back = {"kind": "pause", "from_ms": -3_595_000, "to_ms": -3_590_000}
    forward = {"kind": "sleep", "from_ms": 9000, "to_ms": 6 * 366 * 86_400_000}
    pause = {"kind": "pause", "from_ms": 5000, "to_ms": 9000}

    assert tus.patch(path, 0, SOUND[:100], Upload_Marks=json.dumps([back, pause, forward])).status_code == 204
    assert tus.read(path)["marks"] == [pause]


def test_the_length_is_set_once(tus: Tus) -> None:
    path = tus.start(None)
    tus.patch(path, 0, SOUND[:2000])

    assert tus.patch(path, 2000, b"", Upload_Length="1999").status_code == 422
    assert tus.patch(path, 2000, SOUND[2000:2100], Upload_Length="3000").status_code == 204
    assert tus.patch(path, 2100, SOUND[2100:2200], Upload_Length="4000").status_code == 422
    assert tus.head(path).headers["Upload-Length"] == "3000"


def test_uploads_of_a_session_are_listed_for_their_creator(tus: Tus, client_for: ClientFor, school: School) -> None:
    paths = [tus.start(5000), tus.start(None)]

    items = client_for(school.tutor).ask("GET", f"/v1/uploads?session_id={tus.session_id}")[1]["items"]

    assert {f"/v1/uploads/{item['id']}" for item in items} == set(paths)
    assert client_for(school.student).ask("GET", f"/v1/uploads?session_id={tus.session_id}")[1]["items"] == []


@pytest.mark.parametrize(
    "limits", [{"limit_open_uploads": 2}, {"limit_open_upload_bytes": 12_000}], ids=["number", "bytes"]
)
def test_open_uploads_are_limited_and_given_back(tus: Tus) -> None:
    first = tus.start(6000)
    tus.start(6000)

    refusal = tus.create(6000)
    tus.delete(first)

    assert (refusal.status_code, refusal.json()["limit"]) == (429, "open-uploads")
    assert "Retry-After" in refusal.headers
    assert tus.create(6000).status_code == 201


@pytest.mark.parametrize("limits", [{"limit_upload_bytes_per_day": 20_000}])
def test_bytes_of_a_day_are_limited(tus: Tus) -> None:
    path = tus.start(None)

    assert tus.patch(path, 0, SOUND[:15_000]).status_code == 204
    assert tus.patch(path, 15_000, SOUND[15_000:30_000]).status_code == 429


@pytest.mark.parametrize("limits", [{"limit_upload_bytes_per_day": 20_000}])
def test_bytes_of_chunked_bodies_are_limited(tus: Tus) -> None:
    path = tus.start(None)

    pieces = [(0, 15_000), (15_000, 30_000), (30_000, 45_000)]
    statuses = [tus.patch(path, start, iter([SOUND[start:end]])).status_code for start, end in pieces]

    # The size of a chunked body is known when it has arrived.
    assert statuses == [204, 204, 429]


@pytest.mark.parametrize("limits", [{"limit_open_upload_bytes": 2_000_000_000}])
def test_a_deferred_length_counts_against_the_bytes_of_open_uploads(tus: Tus) -> None:
    tus.start(None)
    path = tus.start(None)

    refusal = tus.patch(path, 0, b"", Upload_Length="1000000001")

    assert (refusal.status_code, refusal.json()["limit"]) == (429, "open-uploads")
    assert tus.read(path)["length"] is None
    assert tus.patch(path, 0, b"", Upload_Length="1000000000").status_code == 204


@pytest.mark.parametrize("limits", [{"spool_reserve_bytes": 10_000_000_000_000}])
def test_a_disk_that_is_almost_full_takes_nothing(tus: Tus, services: Services) -> None:
    assert (tus.create(5000).status_code, list(services.settings.spool_dir.glob("*.upload"))) == (507, [])


def test_a_post_may_stand_for_a_patch(client: TestClient, tus: Tus, bearer: Bearer, school: School) -> None:
    path = tus.start(len(SOUND))

    headers = bearer(school.tutor) | PIECE | {"Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
    response = client.post(path, headers=headers, content=SOUND)

    assert (response.status_code, response.headers["Upload-Offset"]) == (204, str(len(SOUND)))


@pytest.mark.parametrize("limits", [{"cors_origins": ("https://lessons.example",)}])
def test_pages_of_other_origins_may_upload(client: TestClient, tus: Tus, bearer: Bearer, school: School) -> None:
    origin = {"Origin": "https://lessons.example"}
    request_headers = (
        "authorization,tus-resumable,upload-length,upload-metadata,upload-offset,upload-checksum,upload-marks"
    )
    preflight = client.options(
        "/v1/uploads",
        headers=origin | {"Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": request_headers},
    )
    head = client.head(tus.start(5000), headers=origin | bearer(school.tutor) | TUS)

    assert preflight.status_code == 200
    header_list = preflight.headers["Access-Control-Allow-Headers"].lower()
    assert all(name in header_list for name in request_headers.split(","))
    exposed_names = head.headers["Access-Control-Expose-Headers"]
    for name in ("Location", "Upload-Offset", "Upload-Length", "Upload-Expires", "Tus-Resumable", "Tus-Version"):
        assert name in exposed_names


def test_a_piece_of_another_type_is_refused(client: TestClient, tus: Tus, bearer: Bearer, school: School) -> None:
    headers = bearer(school.tutor) | TUS | {"Upload-Offset": "0", "Content-Type": "video/webm"}

    assert client.patch(tus.start(5000), headers=headers, content=b"x").status_code == 415


def test_the_digest_is_that_of_all_pieces(tus: Tus, services: Services, sql: Sql) -> None:
    other = Services(services.settings, services.database, failure_hooks=FAILURE_HOOKS)
    path = tus.start(len(SOUND))
    tus.patch(path, 0, SOUND[:5000])
    # One piece at another process, which this one does not know the bytes of.
    appender = other.uploads.begin_piece(path.rpartition("/")[2], "user:1", UploadPiece(5000, 5000))
    assert isinstance(appender, Appender)
    appender.store(SOUND[5000:10_000], last=True)
    tus.patch(path, 10_000, SOUND[10_000:20_000])
    tus.patch(path, 20_000, SOUND[20_000:])

    (recording,) = sql("SELECT source_sha1 FROM whiteboard_session_recordings")
    assert recording.source_sha1 == hashlib.sha1(SOUND, usedforsecurity=False).hexdigest()


def test_an_upload_in_another_spool_names_it(tus: Tus, sql: Sql, services: Services) -> None:
    path = tus.start(len(SOUND))
    sql("UPDATE uploads SET spool_id = 'elsewhere'")
    services.context.spool.upload(path.rpartition("/")[2]).remove()

    answer = tus.patch(path, 0, SOUND[:5000])

    assert (answer.status_code, answer.json()["spool"]) == (503, "elsewhere")
    assert tus.head(path).status_code == 503
    assert tus.read(path)["state"] == "open"


@pytest.mark.parametrize("state", ["finished", "terminated"])
def test_an_upload_in_another_spool_that_has_ended_needs_no_bytes(tus: Tus, sql: Sql, state: str) -> None:
    path = tus.start(len(SOUND))
    if state == "finished":
        tus.patch(path, 0, SOUND)
    else:
        tus.delete(path)
    sql("UPDATE uploads SET spool_id = 'elsewhere', base_url = 'https://uploads-2.astegni.example'")

    answer = tus.head(path)

    assert answer.status_code == (200 if state == "finished" else 410)
    assert answer.headers.get("Upload-Offset") == (str(len(SOUND)) if state == "finished" else None)
    assert tus.read(path)["state"] == state


@pytest.mark.parametrize(("age", "status"), [("1 hour", 421), ("400 days", 410)])
def test_a_recovered_upload_in_another_spool_can_be_continued_for_a_while(
    tus: Tus, sql: Sql, services: Services, age: str, status: int
) -> None:
    path = tus.start(len(SOUND))
    services.context.spool.upload(path.rpartition("/")[2]).remove()
    sql(
        "UPDATE uploads SET state = 'recovered', spool_id = 'elsewhere', base_url = 'https://uploads-2.example',"
        " updated_at = now() - CAST(:age AS interval)",
        age=age,
    )

    assert tus.patch(path, 0, SOUND[:5000]).status_code == tus.head(path).status_code == status
    assert tus.head(path).headers.get("Location") == (f"https://uploads-2.example{path}" if status == 421 else None)


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("nonsense", {}, 404),
        ("0" * 32, {}, 404),
        ("0" * 32, {"Upload-Offset": "x"}, 422),
        ("0" * 32, {"Content-Type": "text/plain"}, 415),
        ("0" * 32, {"Tus-Resumable": "2.0.0", "Content-Type": "text/plain"}, 412),
        ("nonsense", {"Tus-Resumable": "2.0.0", "Authorization": "Bearer x"}, 401),
    ],
)
@pytest.mark.parametrize("size", [100, 100_000], ids=["at-once", "streamed"])
def test_a_small_piece_is_refused_as_a_large_one(
    client: TestClient, bearer: Bearer, school: School, path: str, headers: dict[str, str], status: int, size: int
) -> None:
    stated = bearer(school.tutor) | PIECE | {"Upload-Offset": "0"} | headers

    answer = client.patch(f"/v1/uploads/{path}", headers=stated, content=bytes(size))

    assert answer.status_code == status, answer.text


@pytest.mark.parametrize("size", [100, 60_000, 100_000])
def test_who_is_shut_out_sends_no_further_piece(tus: Tus, sql: Sql, size: int) -> None:
    path = tus.start(None)
    assert tus.patch(path, 0, SOUND[:2000]).status_code == 204
    sql("UPDATE users SET is_active = false WHERE id = 1")

    refused = tus.patch(path, 2000, bytes(size))

    assert (refused.status_code, refused.json()["code"]) == (401, "unauthorized")
    sql("UPDATE users SET is_active = true WHERE id = 1")
    assert tus.head(path).headers["Upload-Offset"] == "2000"
