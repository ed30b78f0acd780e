"""The ledger on the live stack: a real worker, a real broker, a real database."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
import redis
from sqlalchemy import text

from worker.app import create_app
from worker.dev.environment import environment_for
from worker.dev.process import ChildProcess, wait_until
from worker.jobs.cancel import cancel_job, retry_job
from worker.jobs.enqueue import enqueue
from worker.processes.broker import start_publisher

LIVE = Path(__file__).parent / "live"
sys.path.append(str(LIVE))


class Knitters:
    """Workers that a test starts, and the side that gives orders."""

    def __init__(self, settings: Any, folder: Path) -> None:
        self.settings = settings
        self.folder = folder
        self.workers: list[ChildProcess] = []
        self.app = create_app(settings, ())
        self.database, self.publisher = start_publisher(self.app, settings)

    def start_worker(self, name: str = "w", **environment: str) -> ChildProcess:
        sign = self.folder / f"{name}{len(self.workers)}.ready"
        worker = ChildProcess(
            name,
            [sys.executable, str(LIVE / "run_worker.py"), name],
            self.folder / f"{name}.log",
            env={**environment_for(self.settings), "READY_FILE": str(sign), "PYTHONPATH": str(LIVE), **environment},
        )
        self.workers.append(worker)
        wait_until(sign.exists, worker, 60)
        return worker

    def order(self, what: str, **more: Any) -> UUID:
        from knitting import Work

        with self.database.transaction() as session:
            return enqueue(session, Work(what, str(self.folder / f"{what}.diary"), **more))

    def job(self, job_id: UUID) -> Any:
        with self.database.transaction() as session:
            return session.execute(text("SELECT * FROM jobs WHERE id = :id"), {"id": job_id}).one()

    def outcomes(self, job_id: UUID) -> list[str]:
        with self.database.transaction() as session:
            statement = text("SELECT outcome FROM job_attempts WHERE job_id = :id ORDER BY id")
            return list(session.scalars(statement, {"id": job_id}))

    def wait_for(self, job_id: UUID, *states: str, within: float = 30.0) -> Any:
        end = time.monotonic() + within
        while (job := self.job(job_id)).state not in states:
            assert time.monotonic() < end, f"{job.state} and not {states}: {self.log()}"
            time.sleep(0.05)
        return job

    def starts(self, what: str) -> list[list[str]]:
        diary = self.folder / f"{what}.diary"
        return [line.split() for line in diary.read_text().splitlines()] if diary.exists() else []

    def wait_for_start(self, what: str, number: int = 1) -> list[str]:
        end = time.monotonic() + 20
        while len(self.starts(what)) < number:
            assert time.monotonic() < end, self.log()
            time.sleep(0.02)
        return self.starts(what)[number - 1]

    def log(self) -> str:
        return "\n".join(worker.log_tail(40) for worker in self.workers)

    def close(self) -> None:
        for worker in self.workers:
            worker.stop(30)
        self.publisher.stop()
        self.database.close()
        self.app.close()


@pytest.fixture
def knitters(settings: Callable[..., Any], database_url: str, redis_url: str, tmp_path: Path) -> Iterator[Knitters]:
    stack = Knitters(settings(), tmp_path)
    yield stack
    stack.close()


def test_orders_end_as_they_should(knitters: Knitters) -> None:
    knitters.start_worker()
    happy, rejected = knitters.order("succeed"), knitters.order("reject")
    again, crashed = knitters.order("fail_once"), knitters.order("crash")

    job = knitters.wait_for(happy, "succeeded")
    assert (job.attempt, job.result, job.progress) == (1, {"rows": 1}, 100)

    job = knitters.wait_for(rejected, "failed")
    assert (job.attempt, job.error["code"], job.error["detail"]) == (
        1,
        "invalid-input",
        "This wool cannot be knitted.",
    )

    job = knitters.wait_for(again, "succeeded")
    assert (job.attempt, job.error) == (2, None)
    assert knitters.outcomes(again) == ["retryable", "succeeded"]

    job = knitters.wait_for(crashed, "dead")
    assert (job.attempt, job.error["code"]) == (3, "internal")
    assert "secret" not in str(job.error)
    assert knitters.outcomes(crashed) == ["retryable", "retryable", "dead"]


def test_duplicate_messages_are_refused(knitters: Knitters) -> None:
    knitters.start_worker()
    job_id = knitters.order("sleep", seconds=1.0)
    for number in range(5):
        knitters.app.send_task("tests.work", args=(str(job_id),), task_id=f"double-{number}", queue="default")
    knitters.wait_for(job_id, "succeeded")
    knitters.app.send_task("tests.work", args=(str(job_id),), queue="default")
    knitters.wait_for(knitters.order("succeed"), "succeeded")
    assert len(knitters.starts("sleep")) == 1
    assert knitters.outcomes(job_id) == ["succeeded"]


def test_cancel_queued_and_running(knitters: Knitters) -> None:
    waiting = knitters.order("succeed")
    with knitters.database.transaction() as session:
        assert cancel_job(session, {}, waiting) == "cancelled"
    knitters.start_worker()
    running = knitters.order("sleep", seconds=20.0)
    while knitters.job(running).progress < 2:
        time.sleep(0.05)
    with knitters.database.transaction() as session:
        assert cancel_job(session, {}, running) == "running"
    job = knitters.wait_for(running, "cancelled", within=10)
    assert (job.error["code"], knitters.outcomes(running)) == ("cancelled", ["cancelled"])
    assert 0 < job.progress < 100
    assert knitters.starts("succeed") == []


def test_killed_child_and_killed_main_are_recovered(knitters: Knitters) -> None:
    first = knitters.start_worker("first")
    job_id = knitters.order("sleep", seconds=2.0)
    _attempt, child, _main = knitters.wait_for_start("sleep")
    knitters.start_worker("second")
    first.signal(signal.SIGSTOP)  # so that the second takes over, not a new child of the first
    os.kill(int(child), signal.SIGKILL)
    second_start = knitters.wait_for_start("sleep", 2)
    assert second_start[0] == "2"
    knitters.workers[1].kill()
    first.signal(signal.SIGCONT)
    job = knitters.wait_for(job_id, "succeeded")
    assert job.attempt == 3
    assert knitters.outcomes(job_id) == ["worker-lost", "worker-lost", "succeeded"]


def test_poison_is_dead_after_its_attempts_and_can_be_revived(knitters: Knitters) -> None:
    knitters.start_worker()
    poison = knitters.order("die")
    others = [knitters.order("succeed") for _n in range(10)]
    for job_id in others:
        knitters.wait_for(job_id, "succeeded")
    job = knitters.wait_for(poison, "dead", within=60)
    assert (job.attempt, job.error["code"], len(knitters.starts("die"))) == (3, "worker-lost", 3)
    with knitters.database.transaction() as session:
        retry_job(session, poison)
    knitters.wait_for_start("die", 4)


def test_orderly_shutdown_charges_no_attempt(knitters: Knitters) -> None:
    worker = knitters.start_worker(SOFT_SHUTDOWN="1")
    job_id = knitters.order("sleep", seconds=4.0)
    knitters.wait_for_start("sleep")
    worker.signal(signal.SIGTERM)
    assert worker.wait(20), worker.log_tail(60)
    job = knitters.job(job_id)
    assert (job.state, job.attempt, knitters.outcomes(job_id)) == ("queued", 0, ["released"]), worker.log_tail(60)
    knitters.start_worker("heir")
    assert knitters.wait_for(job_id, "succeeded").attempt == 1


def test_relay_publishes_what_the_publisher_could_not(knitters: Knitters) -> None:
    knitters.publisher.stop()
    knitters.start_worker()
    job_id = knitters.order("succeed")
    assert knitters.wait_for(job_id, "succeeded").attempt == 1


def test_work_for_another_spool_holds_nobody_up(knitters: Knitters) -> None:
    """Neither the publisher nor this worker's relay knows the queue; its own workers will."""
    elsewhere = knitters.order("succeed", where="media.attic")
    knitters.publisher.stop()
    also = knitters.order("succeed", where="media.attic")
    here = knitters.order("succeed")
    knitters.start_worker()
    knitters.wait_for(here, "succeeded")
    assert {knitters.job(job_id).state for job_id in (elsewhere, also)} == {"published"}
    knitters.start_worker("attic", QUEUES="media.attic", SPOOL_ID="attic")
    for job_id in (elsewhere, also):
        knitters.wait_for(job_id, "succeeded")


def test_lost_messages_are_published_again(knitters: Knitters) -> None:
    ids = [knitters.order("succeed") for _n in range(20)]
    end = time.monotonic() + 10
    while any(knitters.job(job_id).state != "published" for job_id in ids):
        assert time.monotonic() < end
        time.sleep(0.05)
    with redis.Redis.from_url(knitters.settings.redis_url) as client:
        client.flushall()
    knitters.start_worker()
    for job_id in ids:
        assert knitters.wait_for(job_id, "succeeded").attempt == 1


def test_one_run_with_production_values(
    settings: Callable[..., Any], database_url: str, redis_url: str, tmp_path: Path
) -> None:
    production = settings()
    production = production.model_copy(
        update={
            name: type(production).model_fields[name].default
            for name in type(production).model_fields
            if name.endswith(("_interval", "_lease", "_renewal", "_lease_max")) or name == "retry_base"
        }
    )
    stack = Knitters(production, tmp_path)
    try:
        first = stack.start_worker("first")
        job_id = stack.order("sleep", seconds=1.0)
        stack.wait_for_start("sleep")
        first.kill()
        killed_at = time.monotonic()
        stack.start_worker("second")
        stack.wait_for(job_id, "succeeded", within=60)
        # Lease 30 s + reaper 10 s + relay 1 s + the work, and a margin for a busy machine.
        assert time.monotonic() - killed_at < 60
    finally:
        stack.close()


def test_many_orders_at_once(knitters: Knitters) -> None:
    knitters.start_worker()
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _n: knitters.order("succeed"), range(100)))
    for job_id in ids:
        assert knitters.wait_for(job_id, "succeeded").attempt == 1
    assert len(knitters.starts("succeed")) == 100
