"""`/v1/recordings`: what is accepted, what is refused, and that nothing of a refused upload remains."""

import errno
import http.client
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import Bearer, ClientFor, Serve
from tests.conftest import MakeSettings, School, Sql
from tests.waiting import TIMEOUT
from worker.access.callers import Operator
from worker.api.app import create_api
from worker.api.services import Services
from worker.database import Database

CONTENT = b"\x1aE\xdf\xa3 not looked at here"
IN_CHUNKS = {"Content-Type": "multipart/form-data; boundary=b"}


def chunked_form(session_id: int, *, count: int, size: int) -> Iterator[bytes]:
    """A form without a Content-Length: the file is sent in this many chunks of this many bytes."""
    yield f'--b\r\nContent-Disposition: form-data; name="session_id"\r\n\r\n{session_id}\r\n'.encode()
    yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    for _ in range(count):
        yield bytes(size)
    yield b"\r\n--b--\r\n"


@pytest.fixture
def session_id(database: Database, school: School) -> int:
    """A whiteboard session of the school's booking."""
    statement = "INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id"
    with database.transaction() as session:
        return int(session.scalar(text(statement), {"booking": school.booking_id}))


Spooled = Callable[[], list[str]]
Recordings = Callable[[], list[Any]]
Upload = Callable[..., httpx2.Response]
ExpectProblem = Callable[[httpx2.Response, int], dict[str, Any]]


@pytest.fixture
def spooled(services: Services) -> Spooled:
    """`spooled()`: names of everything in the spool."""
    return lambda: sorted(path.name for path in services.settings.spool_dir.glob("*"))


@pytest.fixture
def recordings(database: Database) -> Recordings:
    """`recordings()`: every row."""

    def rows() -> list[Any]:
        with database.transaction() as session:
            return list(session.execute(text("SELECT * FROM whiteboard_session_recordings ORDER BY id")))

    return rows


@pytest.fixture
def upload(client: TestClient, bearer: Bearer, school: School) -> Upload:
    """`upload(fields, file=…, caller=…)`: the answer to a multipart POST."""

    def send(
        fields: dict[str, Any], *, file: Any = ("lesson.webm", CONTENT), caller: Any = None, **options: Any
    ) -> httpx2.Response:
        headers = bearer(caller or school.tutor) | options.pop("headers", {})
        files = [("file", part) for part in (file if isinstance(file, list) else [file])]
        return client.post("/v1/recordings", data=fields, files=files, headers=headers, **options)

    return send


@pytest.fixture
def expect_problem(spooled: Spooled, recordings: Recordings) -> ExpectProblem:
    """`expect_problem(response, status)`: its problem document; asserts that nothing was stored."""

    def check(response: httpx2.Response, status: int) -> dict[str, Any]:
        assert response.status_code == status, response.text
        assert response.headers["content-type"] == "application/problem+json"
        assert (spooled(), recordings()) == ([], [])
        document: dict[str, Any] = response.json()
        return document

    return check


def test_an_upload_becomes_a_row_an_order_and_a_spool_file(
    upload: Upload, spooled: Spooled, recordings: Recordings, database: Database, session_id: int, services: Services
) -> None:
    response = upload(
        {"session_id": session_id, "title": "Limits", "type": "board", "started_at": "2026-01-31T14:00:00+03:00"}
    )

    assert response.status_code == 202, response.text
    (row,) = recordings()
    assert response.json() == {"recording_id": row.id, "job_id": str(row.job_id), "ignored": []}
    assert (row.recording_title, row.recording_type, row.session_id) == ("Limits", "board", session_id)
    assert (row.is_processing, row.is_available, row.recorded_by) == (True, False, 1)
    assert row.recording_date.isoformat() == "2026-01-31T11:00:00+00:00"
    assert spooled() == [row.spool_name]
    assert (services.settings.spool_dir / row.spool_name).read_bytes() == CONTENT
    with database.transaction() as session:
        job = session.execute(text("SELECT * FROM jobs")).one()
    assert (job.id, job.kind, job.queue, job.principal) == (row.job_id, "recordings.ingest", "media.shared", "user:1")
    assert job.subject == f"recording:{row.id}"
    assert job.args == {
        "recording_id": row.id,
        "session_id": session_id,
        "spool_id": "shared",
        "size_bytes": len(CONTENT),
        "version": 0,
    }


@pytest.mark.parametrize(
    ("filename", "title"),
    [
        ("Lesson 3.webm", "Lesson 3"),
        ("../../etc/passwd", "passwd"),
        ("ትምህርት.webm", "ትምህርት"),
        ("a\x00b.webm", "ab"),
        ("\x00", "Recording"),
        ("x" * 400 + ".webm", "x" * 255),
        (".webm", ".webm"),
    ],
)
def test_without_a_title_the_file_is_its_title(
    client: TestClient,
    bearer: Bearer,
    school: School,
    recordings: Recordings,
    session_id: int,
    filename: str,
    title: str,
) -> None:
    body = (
        f'--b\r\nContent-Disposition: form-data; name="session_id"\r\n\r\n{session_id}\r\n'
        f'--b\r\nContent-Disposition: form-data; name="file"; filename="{filename}"\r\n\r\nx\r\n--b--\r\n'
    )
    headers = bearer(school.tutor) | {"Content-Type": "multipart/form-data; boundary=b"}

    response = client.post("/v1/recordings", content=body.encode(), headers=headers)

    assert response.status_code == 202, response.text
    assert recordings()[0].recording_title == title


@pytest.mark.parametrize(
    ("fields", "part"),
    [
        ({"type": "film"}, "type"),
        ({"title": "x" * 256}, "title"),
        ({"title": "a\x00b"}, "title"),
        ({"started_at": "yesterday"}, "started_at"),
        ({"started_at": "2026-01-31T14:00:00"}, "started_at"),
        ({"session_id": "one"}, "session_id"),
        ({"session_id": "0"}, "session_id"),
        ({"session_id": "99999999999999999999"}, "session_id"),
    ],
)
def test_a_wrong_field_is_named(
    upload: Upload, expect_problem: ExpectProblem, session_id: int, fields: dict[str, str], part: str
) -> None:
    document = expect_problem(upload({"session_id": session_id, **fields}), 422)

    assert document["code"] == "invalid-input"
    assert [error["loc"][-1] for error in document["errors"]] == [part]


@pytest.mark.parametrize("place", ["before the file", "behind the file"])
@pytest.mark.parametrize(
    ("fields", "title", "kind"),
    [
        ({"name": "x.webm", "relativePath": "null", "colour": "red"}, "lesson", "video"),
        ({"type": "video/webm"}, "lesson", "video"),
        ({"type": "video/x-matroska;codecs=avc1,opus"}, "lesson", "video"),
        ({"type": "audio/ogg; codecs=opus", "title": ""}, "lesson", "video"),
        ({"type": "", "title": " ", "started_at": ""}, "lesson", "video"),
        ({"type": " Board ", "title": " Limits\r\n"}, "Limits", "board"),
    ],
)
def test_what_clients_add_is_taken_as_it_is_meant(
    client: TestClient,
    bearer: Bearer,
    school: School,
    recordings: Recordings,
    session_id: int,
    fields: dict[str, str],
    title: str,
    kind: str,
    place: str,
) -> None:
    file = '--b\r\nContent-Disposition: form-data; name="file"; filename="lesson.webm"\r\n\r\nx\r\n'
    parts = [
        f'--b\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in {"session_id": str(session_id), **fields}.items()
    ]
    body = "".join([*parts, file] if place == "before the file" else [file, *parts]) + "--b--\r\n"
    headers = bearer(school.tutor) | {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": "k" * 20}
    for _ in range(2):
        response = client.post("/v1/recordings", content=body.encode(), headers=headers)
        assert response.status_code == 202, response.text
    (row,) = recordings()
    assert (row.recording_title, row.recording_type) == (title, kind)


def test_a_wrong_field_before_the_file_is_refused_before_any_byte_of_it(
    client: TestClient, expect_problem: ExpectProblem, bearer: Bearer, school: School
) -> None:
    body = (
        b'--b\r\nContent-Disposition: form-data; name="type"\r\n\r\nfilm\r\n'
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\n'
    )
    headers = bearer(school.tutor) | {"Content-Type": "multipart/form-data; boundary=b"}
    # The body breaks off there: what is said is said at the file's beginning.
    document = expect_problem(client.post("/v1/recordings", content=body, headers=headers), 422)
    assert [error["loc"][-1] for error in document["errors"]] == ["type"]


def _part(name: str, value: str) -> str:
    file = '; filename="lesson.webm"' if name == "file" else ""
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{file}\r\n\r\n{value}\r\n'


@pytest.mark.parametrize(
    ("behind", "ignored", "title", "kind"),
    [
        ([("started_at", "yesterday")], ["started_at"], "lesson", "video"),
        ([("type", "film"), ("title", "Limits")], ["type"], "Limits", "video"),
        ([("title", "T" * 300), ("type", "board")], ["title"], "lesson", "board"),
        ([("title", "T" * 5000)], ["title"], "lesson", "video"),
        ([("title", "Limits"), ("title", "Fractions")], ["title"], "Limits", "video"),
        ([("session_id", "none"), ("title", "Limits")], ["session_id"], "Limits", "video"),
    ],
)
def test_what_is_wrong_behind_the_file_costs_no_recording(
    client: TestClient,
    bearer: Bearer,
    school: School,
    recordings: Recordings,
    session_id: int,
    behind: list[tuple[str, str]],
    ignored: list[str],
    title: str,
    kind: str,
) -> None:
    """Its bytes have come by then; the answer says what was not taken."""
    parts = [("session_id", str(session_id)), ("file", "x"), *behind]
    body = "".join(_part(*part) for part in parts) + "--b--\r\n"
    headers = bearer(school.tutor) | {"Content-Type": "multipart/form-data; boundary=b", "Idempotency-Key": "k" * 20}
    responses = [client.post("/v1/recordings", content=body.encode(), headers=headers) for _ in range(2)]
    assert [response.status_code for response in responses] == [202, 202], responses[0].text
    assert responses[0].json() == responses[1].json()
    assert [response["field"] for response in responses[0].json()["ignored"]] == ignored
    assert all(response["reason"] for response in responses[0].json()["ignored"])
    (row,) = recordings()
    assert (row.recording_title, row.recording_type, row.session_id) == (title, kind, session_id)


def test_without_a_session_nothing_can_be_kept(
    client: TestClient,
    expect_problem: ExpectProblem,
    bearer: Bearer,
    school: School,
    recordings: Recordings,
    spooled: Spooled,
) -> None:
    headers = bearer(school.tutor) | {"Content-Type": "multipart/form-data; boundary=b"}
    body = _part("file", "x") + _part("session_id", "none") + "--b--\r\n"
    document = expect_problem(client.post("/v1/recordings", content=body.encode(), headers=headers), 422)
    assert [error["loc"][-1] for error in document["errors"]] == ["session_id"]
    assert (recordings(), spooled()) == ([], [])


def test_missing_parts(
    client: TestClient, upload: Upload, expect_problem: ExpectProblem, bearer: Bearer, school: School, session_id: int
) -> None:
    document = expect_problem(upload({}), 422)
    assert [error["loc"][-1] for error in document["errors"]] == ["session_id"]
    no_file = client.post("/v1/recordings", files={"session_id": (None, str(session_id))}, headers=bearer(school.tutor))
    assert "no file in its field `file`" in expect_problem(no_file, 422)["detail"]
    assert (
        "one file" in expect_problem(upload({"session_id": session_id}, file=[("a", b"1"), ("b", b"2")]), 422)["detail"]
    )
    other_name = client.post(
        "/v1/recordings",
        data={"session_id": session_id},
        files={"video": ("a.webm", b"1")},
        headers=bearer(school.tutor),
    )
    assert "Only the field `file`" in expect_problem(other_name, 422)["detail"]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"{}"),
        ("application/octet-stream", CONTENT),
        ("multipart/form-data", b"--b--\r\n"),
        ("multipart/form-data; boundary=", b"--b--\r\n"),
        ("multipart/form-data; boundary=" + "b" * 5000, b"--" + b"b" * 5000 + b"--\r\n"),
        ("multipart/form-data; boundary=b", b""),
        ("multipart/form-data; boundary=b", b"no boundary at all"),
        ("multipart/form-data; boundary=b", b"--b\r\nno colon\r\n\r\nx\r\n--b--\r\n"),
        (
            "multipart/form-data; boundary=b",
            b'--b\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nx',
        ),
        ("multipart/form-data; boundary=b", b"--b\r\n" + b"X-A: b\r\n" * 10_000 + b"\r\nx\r\n--b--\r\n"),
        ("multipart/form-data; boundary=b", b"--b\r\nX-A: " + b"b" * 1_000_000 + b"\r\n\r\nx\r\n--b--\r\n"),
    ],
    ids=range(11),
)
def test_a_broken_body(
    client: TestClient, expect_problem: ExpectProblem, bearer: Bearer, school: School, content_type: str, body: bytes
) -> None:
    headers = bearer(school.tutor) | {"Content-Type": content_type}

    assert expect_problem(client.post("/v1/recordings", content=body, headers=headers), 422)["code"] == "invalid-input"


def test_who_may_upload(
    upload: Upload, expect_problem: ExpectProblem, school: School, session_id: int, client: TestClient
) -> None:
    for caller in (school.student, school.parent):
        assert expect_problem(upload({"session_id": session_id}, caller=caller), 403)["code"] == "forbidden"
    for caller in (school.other_tutor, school.other_student, school.other_parent):
        assert expect_problem(upload({"session_id": session_id}, caller=caller), 404)["code"] == "not-found"
    nobody = client.post("/v1/recordings", data={"session_id": session_id}, files={"file": ("a", b"1")})
    assert expect_problem(nobody, 401)["code"] == "unauthorized"


def test_a_student_who_opened_it_on_the_platform_may_upload_and_not_delete(
    upload: Upload, expect_problem: ExpectProblem, school: School, session_id: int, sql: Sql, client_for: ClientFor
) -> None:
    """Their profile, and not that number as another's."""
    open_by = "UPDATE whiteboard_sessions SET opener_profile_id = :id, opener_profile_type = :type"
    sql(open_by, id=22, type="tutor")
    assert expect_problem(upload({"session_id": session_id}, caller=school.student), 403)["code"] == "forbidden"
    sql(open_by, id=22, type="student")

    accepted = upload({"session_id": session_id}, caller=school.student)

    assert accepted.status_code == 202, accepted.text
    path = f"/v1/recordings/{accepted.json()['recording_id']}"
    assert client_for(school.student).ask("DELETE", path)[0] == 403
    assert upload({"session_id": session_id}, caller=school.parent).status_code == 403
    assert upload({"session_id": session_id}, caller=school.other_student).status_code == 404
    assert client_for(school.tutor).ask("DELETE", path)[0] == 204


def test_an_operator_uploads_on_somebodys_behalf(
    upload: Upload, recordings: Recordings, operator: Operator, session_id: int
) -> None:
    assert upload({"session_id": session_id}, caller=operator).status_code == 202
    assert recordings()[0].recorded_by is None


def test_the_session_may_stand_behind_the_file(
    client: TestClient,
    expect_problem: ExpectProblem,
    recordings: Recordings,
    bearer: Bearer,
    school: School,
    session_id: int,
) -> None:
    def body(number: int) -> bytes:
        return (
            '--b\r\nContent-Disposition: form-data; name="file"; filename="a.webm"\r\n\r\nx\r\n'
            f'--b\r\nContent-Disposition: form-data; name="session_id"\r\n\r\n{number}\r\n--b--\r\n'
        ).encode()

    headers = bearer(school.tutor) | {"Content-Type": "multipart/form-data; boundary=b"}

    expect_problem(client.post("/v1/recordings", content=body(session_id + 1), headers=headers), 404)
    assert client.post("/v1/recordings", content=body(session_id), headers=headers).status_code == 202
    assert len(recordings()) == 1


class TestLimits:
    """Sizes: of one file, and of the disk."""

    @pytest.fixture
    def services(self, settings: MakeSettings, database: Database) -> Services:
        return Services(settings(upload_max_bytes=10_000), database, failure_hooks={})

    def test_the_limit_itself_is_taken(self, upload: Upload, session_id: int) -> None:
        assert upload({"session_id": session_id}, file=("a.webm", bytes(10_000))).status_code == 202

    def test_one_byte_more_is_not(self, upload: Upload, expect_problem: ExpectProblem, session_id: int) -> None:
        document = expect_problem(upload({"session_id": session_id}, file=("a.webm", bytes(10_001))), 413)

        assert document["code"] == "too-large"
        assert "10000 bytes" in document["detail"]

    def test_a_large_body_is_refused_unread(
        self, serve: Serve, services: Services, bearer: Bearer, school: School
    ) -> None:
        with serve(create_api(services)) as url:
            line = http.client.HTTPConnection(url.removeprefix("http://"), timeout=TIMEOUT)
            line.putrequest("POST", "/v1/recordings")
            for name, value in bearer(school.tutor).items():
                line.putheader(name, value)
            line.putheader("Content-Type", "multipart/form-data; boundary=b")
            line.putheader("Content-Length", str(10**15))
            line.putheader("Expect", "100-continue")
            line.endheaders()
            # The response comes before any byte of the body was sent.
            response = line.getresponse()
            assert response.status == 413
            assert response.getheader("Content-Type") == "application/problem+json"
            line.close()

    def test_chunks_without_a_length_are_counted(
        self, client: TestClient, expect_problem: ExpectProblem, bearer: Bearer, school: School, session_id: int
    ) -> None:
        form = chunked_form(session_id, count=200, size=1000)
        headers = bearer(school.tutor) | IN_CHUNKS

        assert expect_problem(client.post("/v1/recordings", content=form, headers=headers), 413)["code"] == "too-large"


class TestReserve:
    """A disk of which nothing may be used up."""

    @pytest.fixture
    def services(self, settings: MakeSettings, database: Database) -> Services:
        return Services(settings(spool_reserve_bytes=10**13), database, failure_hooks={})

    def test_the_disk_is_too_full(self, upload: Upload, expect_problem: ExpectProblem, session_id: int) -> None:
        document = expect_problem(upload({"session_id": session_id}), 507)

        assert document["code"] == "out-of-space"


class TestFullDisk:
    """A disk that says so itself, in the middle of an upload."""

    @pytest.fixture
    def services(self, settings: MakeSettings, database: Database, small_disk: Callable[..., Path]) -> Services:
        spool = small_disk("2m", inodes=40) / "spool"
        return Services(settings(spool_dir=spool, spool_reserve_bytes=0), database, failure_hooks={})

    def test_no_space_is_left(
        self,
        client: TestClient,
        upload: Upload,
        expect_problem: ExpectProblem,
        bearer: Bearer,
        school: School,
        session_id: int,
    ) -> None:
        form = chunked_form(session_id, count=50, size=100_000)
        headers = bearer(school.tutor) | IN_CHUNKS

        document = expect_problem(client.post("/v1/recordings", content=form, headers=headers), 507)

        assert document["code"] == "out-of-space"
        # There is room again, and the next one is taken.
        assert upload({"session_id": session_id}, file=("a", bytes(1_000_000))).status_code == 202

    def test_no_inode_is_left(
        self, upload: Upload, expect_problem: ExpectProblem, session_id: int, services: Services
    ) -> None:
        disk = services.settings.spool_dir.parent
        with pytest.raises(OSError, match="No space left") as full:
            for number in range(100):
                (disk / str(number)).touch()
        assert full.value.errno == errno.ENOSPC

        assert expect_problem(upload({"session_id": session_id}), 507)["code"] == "out-of-space"


def test_the_key_answers_again(upload: Upload, recordings: Recordings, spooled: Spooled, session_id: int) -> None:
    options = {"headers": {"Idempotency-Key": "k1"}}
    first = upload({"session_id": session_id, "title": "A"}, **options)
    again = upload({"title": "A", "session_id": session_id}, **options)

    assert (again.status_code, again.content) == (first.status_code, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert upload({"session_id": session_id, "title": "B"}, **options).status_code == 422
    assert upload({"session_id": session_id, "title": "A"}, file=("a", b"other"), **options).status_code == 422
    assert len(recordings()) == len(spooled()) == 1


def test_lists_go_page_by_page(
    upload: Upload, client_for: ClientFor, school: School, operator: Operator, session_id: int
) -> None:
    ids = [upload({"session_id": session_id}, file=("a", bytes([n]))).json()["recording_id"] for n in range(5)]
    student = client_for(school.student)

    _, first = student.ask("GET", f"/v1/recordings?session_id={session_id}&limit=2")
    _, second = student.ask("GET", f"/v1/recordings?limit=2&cursor={first['next']}")
    _, third = student.ask("GET", f"/v1/recordings?limit=2&cursor={second['next']}")

    assert [item["id"] for page in (first, second, third) for item in page["items"]] == ids[::-1]
    assert third["next"] is None
    assert "board_snapshot" not in first["items"][0]
    assert client_for(school.other_tutor).ask("GET", "/v1/recordings")[1] == {"items": [], "next": None}
    assert len(client_for(operator).ask("GET", "/v1/recordings")[1]["items"]) == 5
    assert student.ask("GET", "/v1/recordings?cursor=zzz")[0] == 422


def test_what_is_not_there(client_for: ClientFor, school: School) -> None:
    tutor = client_for(school.tutor)

    for number in ("1", "0", "-1", "99999999999", "x"):
        for method, path in (("GET", ""), ("GET", "/playback"), ("DELETE", "")):
            assert tutor.ask(method, f"/v1/recordings/{number}{path}")[0] == 404


def test_while_it_is_processed_it_cannot_be_played(
    upload: Upload, client_for: ClientFor, school: School, session_id: int
) -> None:
    recording_id = upload({"session_id": session_id}).json()["recording_id"]

    status, document = client_for(school.student).ask("GET", f"/v1/recordings/{recording_id}/playback")

    assert (status, document["code"], document["is_processing"]) == (409, "conflict", True)
    assert "still being processed" in document["detail"]


def test_a_delete_takes_row_and_jobs_and_orders_the_removal(
    upload: Upload,
    client_for: ClientFor,
    school: School,
    recordings: Recordings,
    database: Database,
    operator: Operator,
    session_id: int,
) -> None:
    accepted = upload({"session_id": session_id}).json()
    path = f"/v1/recordings/{accepted['recording_id']}"

    assert client_for(school.student).ask("DELETE", path)[0] == 403
    assert client_for(school.other_tutor).ask("DELETE", path)[0] == 404
    assert client_for(operator).send("DELETE", path).status_code == 204

    assert recordings() == []
    with database.transaction() as session:
        jobs = session.execute(
            text("SELECT kind, state, args FROM jobs ORDER BY kind, args ->> 'spool_name' NULLS FIRST")
        ).all()
        looks = session.execute(text("SELECT admin_id, action, address FROM operator_accesses")).all()
    assert {(job.kind, job.state) for job in jobs} == {
        ("recordings.ingest", "cancelled"),
        ("recordings.remove_files", "queued"),
    }
    assert jobs[-1].args["spool_name"] is not None
    assert [tuple(look) for look in looks] == [(3, "DELETE /v1/recordings/{recording_id}", path)]


def test_open_files_are_closed_after_refusals(upload: Upload, session_id: int) -> None:
    upload({"session_id": session_id, "type": "film"})
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _ in range(5):
        upload({"session_id": session_id, "type": "film"})

    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
