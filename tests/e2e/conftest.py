"""One `astegni up` for every test here, used from outside as its users do: HTTP, SQL, B2's own client, the command."""

import json
import signal
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2 as httpx
import psutil
import psycopg
import pytest
from b2sdk.v3 import B2Api, InMemoryAccountInfo
from psycopg.rows import dict_row

from devstack.directories import scratch_directory
from devstack.process import ChildProcess, wait_until
from tests.forking.forked_process import ForkServer
from tests.waiting import TIMEOUT, wait_for
from worker.access.issue_token import issue_token
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_without_settings
from worker.media.processes.binaries import Binaries, find_binaries
from worker.settings import DEVELOPMENT_KEY, Settings

DATA = Path(__file__).parent.parent / "data"
OVER = frozenset({"succeeded", "failed", "cancelled", "dead"})

# The real ffmpeg, which waits as long as a file is there: a test decides when a running ingest may go on.
HELD_FFMPEG = """#!/bin/sh
while [ -e '{hold}' ]; do sleep 0.05; done
exec '{ffmpeg}' "$@"
"""


class ApiClient:
    """One caller of the API."""

    def __init__(self, address: str, token: str | None) -> None:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        self.http = httpx.Client(base_url=address, headers=headers, timeout=TIMEOUT)
        self.token = token

    def get(self, path: str, status: int = 200) -> Any:
        return self.checked_body(self.http.get(path), status)

    def post(self, path: str, body: Any = None, status: int = 201) -> Any:
        return self.checked_body(self.http.post(path, json=body or {}), status)

    def delete(self, path: str, status: int = 204) -> Any:
        return self.checked_body(self.http.delete(path), status)

    def upload(self, session_id: int, content: bytes, *, name: str = "lesson.webm", **options: Any) -> httpx.Response:
        """The response to `POST /v1/recordings`; `options`: title, type and `headers`."""
        headers = options.pop("headers", {})
        fields = {"session_id": str(session_id), **options}
        return self.http.post("/v1/recordings", data=fields, files={"file": (name, content)}, headers=headers)

    def upload_accepted(self, session_id: int, content: bytes, **options: Any) -> tuple[int, str]:
        """Upload a recording that is accepted; returns (recording id, job id)."""
        body = self.checked_body(self.upload(session_id, content, **options), 202)
        return body["recording_id"], body["job_id"]

    def job(self, job_id: str, *states: str) -> dict[str, Any]:
        """The job once it is in one of `states` (default: over)."""

        def reached() -> dict[str, Any] | None:
            job: dict[str, Any] = self.get(f"/v1/jobs/{job_id}")
            return job if job["state"] in (states or OVER) else None

        return wait_for(reached, pause=0.1)

    def events(self, job_id: str, into: list[dict[str, Any]] | None = None) -> list[dict[str, Any]]:
        """Every event of a job's stream until the server ends it: `{"event", "id", "data"}`, put `into` as it comes."""
        events: list[dict[str, Any]] = [] if into is None else into
        with self.http.stream("GET", f"/v1/jobs/{job_id}/events") as response:
            assert response.status_code == 200
            assert response.headers["content-type"].startswith("text/event-stream")
            event: dict[str, Any] = {}
            for line in response.iter_lines():
                name, _, value = line.partition(": ")
                if not line and "data" in event:
                    events.append({**event, "data": json.loads(event["data"])})
                event = {**event, name: value} if line else {}
        return events

    @staticmethod
    def checked_body(response: httpx.Response, status: int) -> Any:
        assert response.status_code == status, response.text
        body: Any = response.json() if response.content else None
        if status >= 400:
            assert response.headers["content-type"] == "application/problem+json"
            assert {"type", "title", "status", "detail", "code", "instance"} <= body.keys()
            assert body["status"] == status
            assert "Traceback" not in body["detail"]
        return body


@dataclass
class School:
    """People as the platform stores them, and who they are to the API."""

    tutor: ApiClient
    student: ApiClient
    parent: ApiClient
    other_tutor: ApiClient
    other_student: ApiClient
    operator: ApiClient
    nobody: ApiClient
    booking_id: int
    other_booking_id: int
    tutor_user_id: int


@dataclass
class UpStack:
    """The running stack from outside."""

    process: ChildProcess
    folder: Path
    environment: dict[str, str]
    facts: dict[str, Any]
    binaries: Binaries
    forks: ForkServer
    # To connect costs ten times what most statements cost, and tests ask every 100 ms.
    connection: psycopg.Connection[dict[str, Any]]
    school: School = field(init=False)

    def sql(self, statement: str, *values: Any) -> list[dict[str, Any]]:
        """Rows of one statement, in the words of the columns."""
        cursor = self.connection.execute(statement, values)
        return cursor.fetchall() if cursor.description else []

    def lesson(self, *, started: bool = True) -> int:
        """A whiteboard session of the school's booking."""
        tutor = self.school.tutor
        body = {"booking_id": self.school.booking_id, "session_title": "Fractions"}
        session_id: int = tutor.post("/v1/whiteboard/sessions", body)["id"]
        if started:
            tutor.post(f"/v1/whiteboard/sessions/{session_id}/start", status=200)
        return session_id

    def bucket(self) -> Any:
        """The bucket, through B2's own client."""
        b2 = self.facts["b2"]
        api = B2Api(InMemoryAccountInfo())
        api.authorize_account(b2["key_id"], b2["application_key"], realm=b2["realm"])
        return api.get_bucket_by_name(b2["bucket"])

    def objects(self, session_id: int) -> dict[str, Any]:
        """Every version of every object of a whiteboard session, by name."""
        versions = self.bucket().ls(f"videos/whiteboard/session_{session_id}", latest_only=False, recursive=True)
        return {version.file_name: version for version, _ in versions}

    def spooled(self) -> list[str]:
        """Everything in the spool, work folders included."""
        spool = self.folder / "data" / "spool"
        return [str(path.relative_to(spool)) for path in spool.rglob("*") if path.name != "work"]

    def recording_row(self, recording_id: int) -> dict[str, Any]:
        row = self.find_recording_row(recording_id)
        assert row is not None
        return row

    def find_recording_row(self, recording_id: int) -> dict[str, Any] | None:
        rows = self.sql("SELECT * FROM whiteboard_session_recordings WHERE id = %s", recording_id)
        return rows[0] if rows else None

    def settled(self, recording_id: int) -> None:
        """Wait until no job of the recording is left to do: its source stored, its removals done."""
        live = "SELECT 1 FROM jobs WHERE subject = %s AND state NOT IN ('succeeded', 'failed', 'cancelled', 'dead')"
        wait_for(lambda: not self.sql(live, f"recording:{recording_id}"))

    @contextmanager
    def held(self) -> Iterator[None]:
        """Within the block no ffmpeg gets on: running ingests stay running."""
        hold = self.folder / "hold"
        hold.touch()
        try:
            yield
        finally:
            hold.unlink()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What the command `astegni` says in another terminal on this machine."""
        return self.forks.astegni(words, self.environment)

    def logs(self) -> str:
        return "".join(path.read_text(errors="replace") for path in (self.folder / "data" / "logs").glob("*.log"))


def _family(stack: UpStack) -> list[psutil.Process]:
    """The stack's processes: descendants, and whoever else carries its environment."""
    processes = {process.pid: process for process in psutil.Process(stack.process.pid).children(recursive=True)}
    mark = stack.environment["XDG_STATE_HOME"]
    for process in psutil.process_iter():
        try:
            if process.environ().get("XDG_STATE_HOME") == mark:
                processes[process.pid] = process
        except psutil.Error:
            continue
    return list(processes.values())


def _make_school(stack: UpStack, visitors: ExitStack) -> School:
    """Rows written by hand, as the platform writes them."""

    def user(name: str) -> int:
        row = stack.sql(
            "INSERT INTO users (first_name, email) VALUES (%s, %s) RETURNING id", name, f"{name}@example.org"
        )
        return int(row[0]["id"])

    def profile(table: str, user_id: int, profile_id: int) -> int:
        stack.sql(f"INSERT INTO {table}_profiles (id, user_id) VALUES (%s, %s)", profile_id, user_id)  # noqa: S608
        return profile_id

    def client_for(user_id: int, role: str, profile_id: int) -> ApiClient:
        return entered(issue_token(DEVELOPMENT_KEY, sub=user_id, role=role, role_ids={role: profile_id}))

    def entered(token: str | None) -> ApiClient:
        new_client = ApiClient(stack.facts["api"], token)
        visitors.callback(new_client.http.close)
        return new_client

    users = {name: user(name) for name in ("tutor", "student", "parent", "other-tutor", "other-student")}
    # Ids of users and profiles all differ, so that none fits by chance.
    profile("tutor", users["tutor"], 111)
    profile("tutor", users["other-tutor"], 112)
    profile("parent", users["parent"], 133)
    profile("student", users["student"], 122)
    profile("student", users["other-student"], 124)
    stack.sql("UPDATE student_profiles SET parent_id = '{133}' WHERE id = 122")
    tutor = client_for(users["tutor"], "tutor", 111)
    other_tutor = client_for(users["other-tutor"], "tutor", 112)
    student = client_for(users["student"], "student", 122)
    other_student = client_for(users["other-student"], "student", 124)
    booking_id = tutor.post("/v1/bookings", {"student_id": 122, "subject": "Mathematics"})["id"]
    student.post(f"/v1/bookings/{booking_id}/accept", status=200)
    other_booking_id = other_tutor.post("/v1/bookings", {"student_id": 124, "subject": "Physics"})["id"]
    other_student.post(f"/v1/bookings/{other_booking_id}/accept", status=200)
    return School(
        tutor=tutor,
        student=student,
        parent=client_for(users["parent"], "parent", 133),
        other_tutor=other_tutor,
        other_student=other_student,
        operator=entered(stack.facts["operator_token"]),
        nobody=entered(None),
        booking_id=booking_id,
        other_booking_id=other_booking_id,
        tutor_user_id=users["tutor"],
    )


@pytest.fixture(scope="session")
def stack(fork_server: ForkServer) -> Iterator[UpStack]:
    """`astegni up --json --data …` with production's intervals; at the end SIGTERM, and nothing of it may be left."""
    with scratch_directory() as folder:
        binaries = find_binaries(Settings())
        held = folder / "ffmpeg"
        held.write_text(HELD_FFMPEG.format(hold=folder / "hold", ffmpeg=binaries.ffmpeg))
        held.chmod(0o755)
        environment = environment_without_settings() | {
            "XDG_STATE_HOME": str(folder / "state"),
            "COLUMNS": "200",
            # They take minutes of processor time. Tests of them order them.
            "RENDITIONS": "none",
        }
        output = folder / "said"
        with output.open("wb") as stdout:
            process = ChildProcess(
                "up",
                astegni("up", "--json", "--data", str(folder / "data")),
                folder / "up.log",
                env=environment | {"FFMPEG_PATH": str(held)},
                stdout=stdout,
            )
        try:
            wait_until(lambda: output.read_bytes().endswith(b"\n"), process, 600)
            facts = json.loads(output.read_bytes())
            with (
                psycopg.connect(facts["database_url"], autocommit=True, row_factory=dict_row) as connection,
                ExitStack() as visitors,
            ):
                running = UpStack(process, folder, environment, facts, binaries, fork_server, connection)
                running.school = _make_school(running, visitors)
                yield running
            _end(running)
        finally:
            process.kill()


def _end(stack: UpStack) -> None:
    family = _family(stack)
    assert len(family) > 8
    stack.process.signal(signal.SIGTERM)
    assert stack.process.wait(TIMEOUT), "it did not end"
    left = [each for each in family if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]
    assert (stack.process.exit_code, left) == (0, [])
    assert list((stack.folder / "state" / "astegni").iterdir()) == []


@pytest.fixture
def school(stack: UpStack) -> School:
    return stack.school


@pytest.fixture(scope="session")
def sample() -> Callable[[str], bytes]:
    """`sample("vp9")`: a recording that a real Chromium made."""
    return lambda name: (DATA / f"{name}.webm").read_bytes()
