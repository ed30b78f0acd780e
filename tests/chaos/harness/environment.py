"""One database, its workers, clients and an API, all behind the proxies of the servers."""

import itertools
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from uuid import UUID

import httpx2 as httpx
import psycopg
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from devstack.ports import free_port
from devstack.process import ChildProcess, wait_until
from devstack.supervisor import http_ready
from tests.buckets import with_new_bucket
from tests.chaos.harness.event_log import EventLog
from tests.chaos.harness.servers import Servers
from tests.chaos.harness.watchdog import Watchdog
from tests.chaos.harness.workers import Workers
from tests.forking.forked_process import Start, start_process
from tests.ledger_intervals import shorter_intervals
from tests.waiting import TIMEOUT, wait_for
from worker.access.issue_token import issue_token
from worker.app import create_app
from worker.cli.local_stack.environment import environment_for
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.order import Order
from worker.migrate import migrate
from worker.processes.broker import start_publisher
from worker.settings import DEVELOPMENT_KEY, Settings

FINISHED = ("succeeded", "failed", "cancelled", "dead")
CLIPS = Path(__file__).parents[2] / "data"
_TUTOR = 1
_PEOPLE = """
INSERT INTO users (id, first_name, email) VALUES (1, 'Almaz', 'almaz@example.org');
INSERT INTO tutor_profiles (id, user_id) VALUES (11, 1);
"""
_SESSION = (
    "INSERT INTO whiteboard_sessions (id, host_profile_id, host_profile_type) VALUES (%s, 11, 'tutor') RETURNING id"
)
# The bucket is shared by the environments of a process, so each session has an id of its own.
_sessions = itertools.count(1)


def make_database(servers: Servers, name: str) -> str:
    """A database with our tables and the watchdog; returns its address."""
    servers.postgres.create_database(name)
    url = servers.postgres.url(name)
    migrate(Settings(database_url=url).sqlalchemy_url)
    Watchdog(url).set_up()
    return url


def make_template(servers: Servers, name: str) -> None:
    """The same with a tutor, to be cloned for each environment."""
    url = make_database(servers, name)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(_PEOPLE)


class Environment:
    """`quick`: how many times shorter than in production the ledger's intervals are; `start` starts processes."""

    def __init__(
        self,
        servers: Servers,
        folder: Path,
        database: str,
        *,
        quick: float = 10.0,
        start: Start = start_process,
        **changes: Any,
    ) -> None:
        self.servers = servers
        self.folder = folder
        self.start = start
        self.database_name = database
        values: dict[str, Any] = dict(shorter_intervals(quick))
        if servers.b2 is not None:
            values |= {
                "backblaze_realm": servers.storage.realm,
                "backblaze_key_id": servers.storage.key_id,
                "backblaze_application_key": servers.storage.application_key,
                "backblaze_bucket_name": with_new_bucket(servers.b2.credentials).bucket,
            }
        self.settings = Settings(
            **values
            # One tutor sends what a school does.
            | {name: 0 for name in Settings.model_fields if name.startswith("limit_") and name != "limit_event_streams"}
            | {
                "database_url": servers.database_url(database),
                "redis_url": servers.redis_url(),
                "secret_key": DEVELOPMENT_KEY,
                "spool_dir": folder / "spool",
                "spool_reserve_bytes": 0,
                "orphan_age": 1,
                "renditions": ("none",),
                "api_port": free_port(),
            }
            | changes
        )
        self.event_log = EventLog(folder / "events.jsonl")
        self.watchdog = Watchdog(servers.database_url(database))
        self.workers = Workers(self.settings, folder, self.event_log.path, soft_shutdown=20.0 / quick, start=start)
        self.app = create_app(self.settings, ())
        self.database, self.publisher = start_publisher(self.app, self.settings)
        self.api: ChildProcess | None = None
        token = issue_token(DEVELOPMENT_KEY, sub=_TUTOR, role="tutor", role_ids={"tutor": 11})
        self.http = httpx.Client(
            base_url=f"http://127.0.0.1:{self.settings.api_port}",
            headers={"Authorization": f"Bearer {token}"},
            timeout=TIMEOUT,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.workers.close()
        self.http.close()
        if self.api is not None:
            self.api.kill()
        self.watchdog.close()
        self.publisher.stop()
        self.database.close()
        self.app.close()

    def start_api(self) -> None:
        """Start the API and wait until it answers."""
        self.api = self.start("api", "worker.cli", ["api"], self.folder / "api.log", environment_for(self.settings))
        wait_until(http_ready("127.0.0.1", self.settings.api_port, "/healthz"), self.api, TIMEOUT)

    def submit(self, order: Order) -> UUID:
        """Enqueue an order once, however often the database fails: by `subject` it is recognised when it was stored."""
        while True:
            with suppress(DBAPIError, PoolTimeout):
                with self.database.transaction() as session:
                    statement = text("SELECT id FROM jobs WHERE subject = :subject")
                    job_id = session.scalar(statement, {"subject": order.subject}) or enqueue(session, order)
                self.event_log.write("submitted", job=str(job_id), kind=order.kind)
                return UUID(str(job_id))
            time.sleep(0.2)

    def new_session(self) -> int:
        """A whiteboard session of the tutor."""
        return int(self.watchdog.ask(_SESSION, next(_sessions))[0]["id"])

    def post_recording(self, session_id: int, clip: str = "audio.webm", **options: Any) -> httpx.Response:
        """The response to one upload."""
        files = {"file": (clip, (CLIPS / clip).read_bytes())}
        return self.http.post("/v1/recordings", data={"session_id": str(session_id)}, files=files, **options)

    def job(self, job_id: UUID | str) -> dict[str, Any]:
        """A job's row."""
        return self.watchdog.ask("SELECT * FROM jobs WHERE id = %s", str(job_id))[0]

    def outcomes(self, job_id: UUID | str) -> list[str]:
        """How its attempts ended."""
        rows = self.watchdog.ask("SELECT outcome FROM job_attempts WHERE job_id = %s ORDER BY id", str(job_id))
        return [row["outcome"] for row in rows]

    def wait_until_finished(self, jobs: Iterable[UUID | str]) -> dict[str, str]:
        """The states of these jobs, once all have ended."""
        job_ids = [str(job) for job in jobs]

        def final_states() -> dict[str, str] | None:
            rows = self.watchdog.ask("SELECT id::text, state FROM jobs WHERE id::text = ANY(%s)", job_ids)
            states = {row["id"]: row["state"] for row in rows}
            return states if len(states) == len(job_ids) and set(states.values()) <= set(FINISHED) else None

        final: dict[str, str] = wait_for(final_states, pause=0.1, details=lambda: self.unfinished_jobs(job_ids))
        return final

    def wait_for(self, job: UUID | str, *states: str) -> dict[str, Any]:
        """The job's row once it is in one of these states."""

        def reached() -> dict[str, Any] | None:
            row = self.job(job)
            return row if row["state"] in states else None

        job_row: dict[str, Any] = wait_for(reached, details=lambda: self.unfinished_jobs([str(job)]))
        return job_row

    def wait_for_start(self, job: UUID | str, number: int = 1) -> dict[str, Any]:
        """The line of the event log about the nth start of an order."""

        def started() -> dict[str, Any] | None:
            lines = [line for line in self.event_log.read("started") if line["job"] == str(job)]
            return lines[number - 1] if len(lines) >= number else None

        start: dict[str, Any] = wait_for(started, details=lambda: self.unfinished_jobs([str(job)]))
        return start

    def unfinished_jobs(self, jobs: list[str]) -> str:
        """Those of these jobs that have not ended, and the logs of the workers: the details of a failed wait."""
        rows = self.watchdog.ask(
            "SELECT id, kind, state, attempt, publications, lease_until, now() FROM jobs"
            " WHERE id::text = ANY(%s) AND finished_at IS NULL",
            jobs,
        )
        return f"not finished: {rows}\n{self.workers.log()}"
