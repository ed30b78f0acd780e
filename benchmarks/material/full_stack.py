"""The stack that is measured, run as by `astegni up`, with a tutor who has lessons to record."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg

from benchmarks.material.sending import Client
from devstack.directories import scratch_directory
from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from devstack.supervisor import http_ready
from models.people import StudentProfile, TutorProfile, User
from worker.access.issue_token import issue_operator_token, issue_token
from worker.cli.local_stack.command import astegni
from worker.cli.local_stack.environment import environment_for
from worker.cli.local_stack.stack import Stack
from worker.database import Database
from worker.media.processes.binaries import Binaries, find_binaries
from worker.settings import Settings

_TIMEOUT = 600.0
_LIVE_JOBS = "SELECT 1 FROM jobs WHERE state IN ('queued', 'published', 'running', 'retryable') LIMIT 1"

# One tutor of a benchmark makes as many requests as a school.
UNBOUNDED = {name: 0 for name in Settings.model_fields if name.startswith("limit_") and name != "limit_event_streams"}


@dataclass
class FullStack:
    """A client's view of the running stack; `folder` is for files of the benchmark."""

    stack: Stack
    folder: Path
    binaries: Binaries
    tutor_token: str
    operator_token: str
    booking_id: int

    @property
    def address(self) -> str:
        """The address of the API."""
        return str(self.stack.facts()["api"])

    def tutor(self) -> Client:
        """A new connection of the tutor."""
        return Client(self.address, self.tutor_token)

    def operator(self) -> Client:
        """A new connection of an operator."""
        return Client(self.address, self.operator_token)

    def connect(self) -> psycopg.Connection[Any]:
        """A connection to the database, each statement a transaction."""
        return psycopg.connect(str(self.stack.settings.database_url), autocommit=True)

    def open_lesson(self, client: Client) -> int:
        """Start a whiteboard session; returns its id."""
        body = {"booking_id": self.booking_id, "session_title": "Figures"}
        session_id = int(client.post("/v1/whiteboard/sessions", body)["id"])
        client.post(f"/v1/whiteboard/sessions/{session_id}/start", status=200)
        return session_id

    def settle(self) -> None:
        """Wait until no job is left."""
        with self.connect() as connection:
            wait_for(lambda: connection.execute(_LIVE_JOBS).fetchone() is None, pause=0.05)

    def process_id(self, service: str) -> int:
        """The id of a service's main process."""
        process = next(each.process for each in self.stack.services if each.name == service)
        if process is None:
            raise RuntimeError(f"{service} is not running")
        return process.pid

    @contextmanager
    def suspended(self, service: str) -> Iterator[None]:
        """Suspend a service and its children within the block."""
        group = self.process_id(service)
        os.killpg(group, signal.SIGSTOP)
        try:
            yield
        finally:
            os.killpg(group, signal.SIGCONT)


@contextmanager
def second_api(full_stack: FullStack, **changes: Any) -> Iterator[tuple[str, int]]:
    """Another API process on the same servers and spool with these settings changed: its address and process id."""
    with running_api(full_stack.stack.settings.model_copy(update=changes), full_stack.folder) as api:
        yield api


@contextmanager
def running_api(settings: Settings, folder: Path) -> Iterator[tuple[str, int]]:
    """An API process with these settings on a free port, and its log in `folder`: its address and process id."""
    settings = settings.model_copy(update={"api_port": free_port()})
    log = folder / f"api-{settings.api_port}.log"
    process = ChildProcess("another api", astegni("api"), log, env=environment_for(settings))
    try:
        wait_until(http_ready("127.0.0.1", settings.api_port, "/healthz"), process, _TIMEOUT)
        yield f"http://127.0.0.1:{settings.api_port}", process.pid
    finally:
        process.kill()


@contextmanager
def running_full_stack(**changes: Any) -> Iterator[FullStack]:
    """Run a stack of embedded servers with these settings changed; all of it is removed at the end."""
    settings = Settings(**(UNBOUNDED | changes))
    with (
        scratch_directory() as folder,
        Stack(settings, data=folder / "data", operator_token=lambda: "") as stack,
    ):
        key = stack.settings.signing_key
        user_id, tutor_id, student_user_id, student_id = _make_people(stack.settings)
        tutor_token = issue_token(key, sub=user_id, role="tutor", role_ids={"tutor": tutor_id})
        student_token = issue_token(key, sub=student_user_id, role="student", role_ids={"student": student_id})
        departments = stack.settings.operator_departments
        operator_token = issue_operator_token(key, admin_id=1, departments=departments, expires_in=7200)
        files = folder / "files"
        files.mkdir()
        with Client(str(stack.facts()["api"]), tutor_token) as client:
            booking = client.post("/v1/bookings", {"student_id": student_id, "subject": "Mathematics"})
        with Client(str(stack.facts()["api"]), student_token) as client:
            client.post(f"/v1/bookings/{booking['id']}/accept", status=200)
        yield FullStack(stack, files, find_binaries(stack.settings), tutor_token, operator_token, int(booking["id"]))


def wait_for(done: Callable[[], bool], *, pause: float, timeout: float = _TIMEOUT) -> None:
    """Poll until the condition is true. Raises TimeoutError."""
    end = time.monotonic() + timeout
    while not done():
        if time.monotonic() > end:
            raise TimeoutError(f"It took more than {timeout:g} s.")
        time.sleep(pause)


def _make_people(settings: Settings) -> tuple[int, int, int, int]:
    """Create a tutor and a student; returns users.id and profile id of each."""
    database = Database(settings.sqlalchemy_url, pool_size=1)
    try:
        with database.transaction() as session:
            users = [User(first_name=name, email=f"{name}@example.org") for name in ("tutor", "student")]
            session.add_all(users)
            session.flush()
            tutor, student = TutorProfile(user_id=users[0].id), StudentProfile(user_id=users[1].id)
            session.add_all([tutor, student])
            session.flush()
            return users[0].id, tutor.id, users[1].id, student.id
    finally:
        database.close()
