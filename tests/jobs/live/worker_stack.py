"""Workers on the live stack, and the side that gives orders."""

import os
import signal
from pathlib import Path
from typing import Any
from uuid import UUID

import redis
from sqlalchemy import text

from devstack.process import ChildProcess, wait_until
from tests.forking.forked_process import ForkServer
from tests.waiting import TIMEOUT, wait_for
from worker.app import create_app
from worker.cli.local_stack.environment import environment_for
from worker.jobs.enqueue import enqueue
from worker.jobs.runs.cancel import cancel_job
from worker.processes.broker import start_publisher
from worker.settings import Settings

ROOT = Path(__file__).parents[3]


class WorkerStack:
    """Workers that a test starts, and the side that gives orders."""

    def __init__(self, settings: Settings, folder: Path, server: ForkServer) -> None:
        self.settings = settings
        self.folder = folder
        self._server = server
        self.workers: list[ChildProcess] = []
        self.app = create_app(settings, ())
        self.database, self.publisher = start_publisher(self.app, settings)

    def start_worker(self, name: str = "w", **environment: str) -> ChildProcess:
        sign = self.folder / f"{name}{len(self.workers)}.ready"
        environment = {
            **environment_for(self.settings),
            "READY_FILE": str(sign),
            "PYTHONPATH": str(ROOT),
            **environment,
        }
        log = self.folder / f"{name}.log"
        worker = self._server.start(name, "tests.jobs.live.run_worker", [name], log, environment)
        self.workers.append(worker)
        wait_until(sign.exists, worker, TIMEOUT)
        return worker

    def order(self, what: str, *, principal: str = "system", **more: Any) -> UUID:
        from tests.jobs.live.work import Work

        with self.database.transaction() as session:
            return enqueue(session, Work(what, str(self.folder / f"{what}.diary"), **more), principal=principal)

    def job(self, job_id: UUID) -> Any:
        with self.database.transaction() as session:
            return session.execute(text("SELECT * FROM jobs WHERE id = :id"), {"id": job_id}).one()

    def outcomes(self, job_id: UUID) -> list[str]:
        with self.database.transaction() as session:
            statement = text("SELECT outcome FROM job_attempts WHERE job_id = :id ORDER BY id")
            return list(session.scalars(statement, {"id": job_id}))

    def wait_for(self, job_id: UUID, *states: str) -> Any:
        """The row of the job once it is in one of the states."""

        def reached() -> Any:
            job = self.job(job_id)
            return job if job.state in states else None

        return wait_for(reached, details=lambda: f"{self.job(job_id).state} and not {states}: {self.log()}")

    def starts(self, what: str) -> list[list[str]]:
        diary = self.folder / f"{what}.diary"
        return [line.split() for line in diary.read_text().splitlines()] if diary.exists() else []

    def wait_for_start(self, what: str, number: int = 1) -> list[str]:
        wait_for(lambda: len(self.starts(what)) >= number, details=self.log)
        return self.starts(what)[number - 1]

    def log(self) -> str:
        return "\n".join(worker.log_tail(40) for worker in self.workers)

    def close(self) -> None:
        # An orderly end waits for what still runs, and no test looks at it any more.
        for worker in self.workers:
            worker.kill()
        self.publisher.stop()
        self.database.close()
        self.app.close()

    def repeat_after_kill(self, worker: ChildProcess) -> Any:
        """Kill the worker in the middle of a job; returns the job when another worker has done it."""
        self.hold(on=True)
        job = self.order("hold")
        self.wait_for_start("hold")
        os.killpg(worker.pid, signal.SIGKILL)
        self.hold(on=False)
        self.start_worker()
        return self.wait_for(job, "succeeded")

    def hold(self, *, on: bool) -> None:
        """Whether jobs that do `hold` stay running."""
        file = self.folder / "hold.held"
        if on:
            file.touch()
        else:
            file.unlink()

    def cancel(self, job_id: UUID) -> None:
        with self.database.transaction() as session:
            cancel_job(session, {}, job_id)

    def forget_messages(self) -> None:
        """The broker loses everything."""
        with redis.Redis.from_url(self.settings.redis_url or "") as client:
            client.flushall()
