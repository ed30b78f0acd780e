"""The ledger on the live stack: a real worker, a real broker, a real database."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
import redis
import structlog
from kombu.exceptions import OperationalError as KombuOperationalError
from sqlalchemy.exc import OperationalError

from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.jobs.live.worker_stack import WorkerStack
from tests.waiting import wait_for
from worker.jobs.periodic_thread import failed_service
from worker.jobs.runs.cancel import cancel_job, retry_job
from worker.storage.errors import StorageFull


@pytest.fixture
def stack(
    settings: MakeSettings, database_url: str, redis_url: str, tmp_path: Path, fork_server: ForkServer
) -> Iterator[WorkerStack]:
    stack = WorkerStack(settings(), tmp_path, fork_server)
    yield stack
    stack.close()


def test_orders_end_as_they_should(stack: WorkerStack) -> None:
    stack.start_worker()
    happy, rejected = stack.order("succeed"), stack.order("reject")
    again, crashed = stack.order("fail_once"), stack.order("crash")

    job = stack.wait_for(happy, "succeeded")
    assert (job.attempt, job.result, job.progress) == (1, {"rows": 1}, 100)

    job = stack.wait_for(rejected, "failed")
    assert (job.attempt, job.error["code"], job.error["detail"]) == (
        1,
        "invalid-input",
        "This input cannot be processed.",
    )

    job = stack.wait_for(again, "succeeded")
    assert (job.attempt, job.error) == (2, None)
    assert stack.outcomes(again) == ["retryable", "succeeded"]

    job = stack.wait_for(crashed, "dead")
    assert (job.attempt, job.error["code"]) == (3, "internal")
    assert "secret" not in str(job.error)
    assert stack.outcomes(crashed) == ["retryable", "retryable", "dead"]


def test_the_log_is_json_and_follows_a_request(stack: WorkerStack) -> None:
    """From the API's request to the lines of the job, and of the job that it orders."""
    # A job that has just ended may still count as running: the worker would wait for it.
    worker = stack.start_worker(SOFT_SHUTDOWN="1")
    with structlog.contextvars.bound_contextvars(request_id="req-7"):
        job_id = stack.order("succeed")
    rejected = stack.order("reject")
    stack.wait_for(job_id, "succeeded")
    stack.wait_for(rejected, "failed")
    worker.stop(120)
    lines = [json.loads(line) for line in worker.log.read_text().splitlines()]
    (done,) = [line for line in lines if line["event"] == "job_succeeded"]
    assert (done["job_id"], done["request_id"]) == (str(job_id), "req-7")
    assert 0 <= done["seconds"] < 120
    (refused,) = [line for line in lines if line["event"] == "job_not_done"]
    assert refused["job_id"] == str(rejected)
    assert refused["request_id"] is None


def test_a_failing_loop_names_what_failed() -> None:
    psycopg_error = OperationalError("SELECT 1", {}, psycopg.OperationalError("gone"))
    wrapped = RuntimeError()
    wrapped.__cause__ = redis.ConnectionError()
    errors = (psycopg_error, KombuOperationalError(), redis.TimeoutError(), wrapped, StorageFull("cap"), ValueError())
    services = [failed_service(error) for error in errors]
    assert services == ["postgresql", "broker", "broker", "broker", "storage", "none"]


def test_duplicate_messages_are_refused(stack: WorkerStack) -> None:
    stack.start_worker()
    job_id = stack.order("sleep", seconds=1.0)
    for number in range(5):
        stack.app.send_task("tests.work", args=(str(job_id),), task_id=f"double-{number}", queue="default")
    stack.wait_for(job_id, "succeeded")
    stack.app.send_task("tests.work", args=(str(job_id),), queue="default")
    stack.wait_for(stack.order("succeed"), "succeeded")
    assert len(stack.starts("sleep")) == 1
    assert stack.outcomes(job_id) == ["succeeded"]


def test_cancel_queued_and_running(stack: WorkerStack) -> None:
    waiting = stack.order("succeed")
    with stack.database.transaction() as session:
        assert cancel_job(session, {}, waiting) == "cancelled"
    stack.start_worker()
    running = stack.order("sleep", seconds=60.0)
    wait_for(lambda: stack.job(running).progress >= 2, details=stack.log)
    with stack.database.transaction() as session:
        assert cancel_job(session, {}, running) == "running"
    job = stack.wait_for(running, "cancelled")
    assert (job.error["code"], stack.outcomes(running)) == ("cancelled", ["cancelled"])
    assert 0 < job.progress < 100
    assert stack.starts("succeed") == []


def test_killed_child_and_killed_main_are_recovered(stack: WorkerStack) -> None:
    stack.hold(on=True)
    first = stack.start_worker("first")
    job_id = stack.order("hold")
    _attempt, child, _main = stack.wait_for_start("hold")
    first.signal(signal.SIGSTOP)  # so that the second takes over, not a new child of the first
    os.kill(int(child), signal.SIGKILL)
    stack.start_worker("second")
    second_start = stack.wait_for_start("hold", 2)
    assert second_start[0] == "2"
    stack.workers[1].kill()
    first.signal(signal.SIGCONT)
    stack.wait_for_start("hold", 3)
    stack.hold(on=False)
    job = stack.wait_for(job_id, "succeeded")
    assert job.attempt == 3
    assert stack.outcomes(job_id) == ["worker-lost", "worker-lost", "succeeded"]


def test_poison_is_dead_after_its_attempts_and_can_be_revived(stack: WorkerStack) -> None:
    stack.start_worker()
    poison = stack.order("die")
    others = [stack.order("succeed") for _n in range(10)]
    for job_id in others:
        stack.wait_for(job_id, "succeeded")
    job = stack.wait_for(poison, "dead")
    assert (job.attempt, job.error["code"], len(stack.starts("die"))) == (3, "worker-lost", 3)
    with stack.database.transaction() as session:
        retry_job(session, poison)
    stack.wait_for_start("die", 4)


def test_orderly_shutdown_charges_no_attempt(stack: WorkerStack) -> None:
    worker = stack.start_worker(SOFT_SHUTDOWN="1")
    stack.hold(on=True)
    job_id = stack.order("hold")
    stack.wait_for_start("hold")
    worker.signal(signal.SIGTERM)
    assert worker.wait(120), worker.log_tail(60)
    job = stack.job(job_id)
    assert (job.state, job.attempt, stack.outcomes(job_id)) == ("queued", 0, ["released"]), worker.log_tail(60)
    stack.hold(on=False)
    stack.start_worker("successor")
    assert stack.wait_for(job_id, "succeeded").attempt == 1


def test_relay_publishes_what_the_publisher_could_not(stack: WorkerStack) -> None:
    stack.publisher.stop()
    stack.start_worker()
    job_id = stack.order("succeed")
    assert stack.wait_for(job_id, "succeeded").attempt == 1


def test_work_for_another_spool_holds_nobody_up(stack: WorkerStack) -> None:
    """Neither the publisher nor this worker's relay knows the queue; its own workers will."""
    elsewhere = stack.order("succeed", where="media.attic")
    stack.publisher.stop()
    also = stack.order("succeed", where="media.attic")
    here = stack.order("succeed")
    stack.start_worker()
    stack.wait_for(here, "succeeded")
    # Published or not yet: nobody who could do it lives.
    assert {stack.job(job_id).state for job_id in (elsewhere, also)} <= {"queued", "published"}
    stack.start_worker("attic", QUEUES="media.attic", SPOOL_ID="attic")
    for job_id in (elsewhere, also):
        stack.wait_for(job_id, "succeeded")


def test_lost_messages_are_published_again(stack: WorkerStack) -> None:
    ids = [stack.order("succeed") for _n in range(20)]
    wait_for(lambda: all(stack.job(job_id).state == "published" for job_id in ids), details=stack.log)
    stack.forget_messages()
    stack.start_worker()
    for job_id in ids:
        assert stack.wait_for(job_id, "succeeded").attempt == 1


def test_one_run_with_production_values(
    settings: MakeSettings, database_url: str, redis_url: str, tmp_path: Path, fork_server: ForkServer
) -> None:
    production = settings()
    production = production.model_copy(
        update={
            name: type(production).model_fields[name].default
            for name in type(production).model_fields
            if name.endswith(("_interval", "_lease", "_renewal", "_lease_max")) or name == "retry_base"
        }
    )
    stack = WorkerStack(production, tmp_path, fork_server)
    try:
        first = stack.start_worker("first")
        stack.hold(on=True)
        job_id = stack.order("hold")
        stack.wait_for_start("hold")
        first.kill()
        stack.hold(on=False)
        stack.start_worker("second")
        stack.wait_for(job_id, "succeeded")
        assert stack.outcomes(job_id) == ["worker-lost", "succeeded"]
    finally:
        stack.close()


def test_many_orders_at_once(stack: WorkerStack) -> None:
    stack.start_worker()
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _n: stack.order("succeed"), range(100)))
    for job_id in ids:
        assert stack.wait_for(job_id, "succeeded").attempt == 1
    assert len(stack.starts("succeed")) == 100
