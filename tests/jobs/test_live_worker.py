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
from tests.jobs.live.knitters import Knitters
from tests.waiting import wait_for
from worker.jobs.cancel import cancel_job, retry_job
from worker.jobs.periodic_thread import failed_service
from worker.storage.errors import StorageFull


@pytest.fixture
def knitters(
    settings: MakeSettings, database_url: str, redis_url: str, tmp_path: Path, fork_server: ForkServer
) -> Iterator[Knitters]:
    stack = Knitters(settings(), tmp_path, fork_server)
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


def test_the_log_is_json_and_follows_a_request(knitters: Knitters) -> None:
    """From the API's request to the lines of the job, and of the job that it orders."""
    worker = knitters.start_worker()
    with structlog.contextvars.bound_contextvars(request_id="req-7"):
        job_id = knitters.order("succeed")
    rejected = knitters.order("reject")
    knitters.wait_for(job_id, "succeeded")
    knitters.wait_for(rejected, "failed")
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
    running = knitters.order("sleep", seconds=60.0)
    wait_for(lambda: knitters.job(running).progress >= 2, details=knitters.log)
    with knitters.database.transaction() as session:
        assert cancel_job(session, {}, running) == "running"
    job = knitters.wait_for(running, "cancelled")
    assert (job.error["code"], knitters.outcomes(running)) == ("cancelled", ["cancelled"])
    assert 0 < job.progress < 100
    assert knitters.starts("succeed") == []


def test_killed_child_and_killed_main_are_recovered(knitters: Knitters) -> None:
    knitters.hold(on=True)
    first = knitters.start_worker("first")
    job_id = knitters.order("hold")
    _attempt, child, _main = knitters.wait_for_start("hold")
    first.signal(signal.SIGSTOP)  # so that the second takes over, not a new child of the first
    os.kill(int(child), signal.SIGKILL)
    knitters.start_worker("second")
    second_start = knitters.wait_for_start("hold", 2)
    assert second_start[0] == "2"
    knitters.workers[1].kill()
    first.signal(signal.SIGCONT)
    knitters.wait_for_start("hold", 3)
    knitters.hold(on=False)
    job = knitters.wait_for(job_id, "succeeded")
    assert job.attempt == 3
    assert knitters.outcomes(job_id) == ["worker-lost", "worker-lost", "succeeded"]


def test_poison_is_dead_after_its_attempts_and_can_be_revived(knitters: Knitters) -> None:
    knitters.start_worker()
    poison = knitters.order("die")
    others = [knitters.order("succeed") for _n in range(10)]
    for job_id in others:
        knitters.wait_for(job_id, "succeeded")
    job = knitters.wait_for(poison, "dead")
    assert (job.attempt, job.error["code"], len(knitters.starts("die"))) == (3, "worker-lost", 3)
    with knitters.database.transaction() as session:
        retry_job(session, poison)
    knitters.wait_for_start("die", 4)


def test_orderly_shutdown_charges_no_attempt(knitters: Knitters) -> None:
    worker = knitters.start_worker(SOFT_SHUTDOWN="1")
    knitters.hold(on=True)
    job_id = knitters.order("hold")
    knitters.wait_for_start("hold")
    worker.signal(signal.SIGTERM)
    assert worker.wait(120), worker.log_tail(60)
    job = knitters.job(job_id)
    assert (job.state, job.attempt, knitters.outcomes(job_id)) == ("queued", 0, ["released"]), worker.log_tail(60)
    knitters.hold(on=False)
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
    # Published or not yet: nobody who could do it lives.
    assert {knitters.job(job_id).state for job_id in (elsewhere, also)} <= {"queued", "published"}
    knitters.start_worker("attic", QUEUES="media.attic", SPOOL_ID="attic")
    for job_id in (elsewhere, also):
        knitters.wait_for(job_id, "succeeded")


def test_lost_messages_are_published_again(knitters: Knitters) -> None:
    ids = [knitters.order("succeed") for _n in range(20)]
    wait_for(lambda: all(knitters.job(job_id).state == "published" for job_id in ids), details=knitters.log)
    knitters.forget_messages()
    knitters.start_worker()
    for job_id in ids:
        assert knitters.wait_for(job_id, "succeeded").attempt == 1


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
    stack = Knitters(production, tmp_path, fork_server)
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


def test_many_orders_at_once(knitters: Knitters) -> None:
    knitters.start_worker()
    with ThreadPoolExecutor(8) as pool:
        ids = list(pool.map(lambda _n: knitters.order("succeed"), range(100)))
    for job_id in ids:
        assert knitters.wait_for(job_id, "succeeded").attempt == 1
    assert len(knitters.starts("succeed")) == 100
