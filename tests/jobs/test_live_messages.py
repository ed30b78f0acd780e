"""Messages of several jobs in real workers: what a kill, a stop or a slow job means for the others of a message."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest
import redis

from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.jobs.live.worker_stack import WorkerStack
from tests.waiting import wait_for
from worker.jobs.publish import publish
from worker.processes.broker import publication_lease, sender


@pytest.fixture
def stack(
    settings: MakeSettings, database_url: str, redis_url: str, tmp_path: Path, fork_server: ForkServer
) -> Iterator[WorkerStack]:
    stack = WorkerStack(settings(), tmp_path, fork_server)
    stack.publisher.stop()
    yield stack
    stack.close()


def send_together(stack: WorkerStack, *whats: str) -> list[UUID]:
    """Order the jobs and publish them in one message, in this order: no worker has shown itself yet."""
    ids = [stack.order(what) for what in whats]
    assert publish(stack.database, sender(stack.app), publication_lease(stack.settings)) == len(ids)
    return ids


def test_a_message_is_what_the_release_before_understands(stack: WorkerStack) -> None:
    first, second, third = send_together(stack, *["succeed"] * 3)
    with redis.Redis.from_url(str(stack.settings.redis_url)) as client:
        (message,) = client.lrange("astegni:default", 0, -1)
    headers = json.loads(message)["headers"]
    # Its workers run the first job, and ignore a header that they do not know.
    assert (headers["task"], headers["other_jobs"]) == ("tests.work", [str(second), str(third)])
    assert headers["argsrepr"] == f"['{first}', '{second}', '{third}']"
    stack.start_worker()
    for job_id in (first, second, third):
        assert stack.wait_for(job_id, "succeeded").attempt == 1
    children = {child for _attempt, child, _main in stack.starts("succeed")}
    # One child runs all, unless the machine is so slow that it gave back what had not begun within two seconds.
    assert len(children) <= 1 + stack.log().count("jobs_given_back")


def test_a_killed_child_costs_only_the_job_that_ran(stack: WorkerStack) -> None:
    stack.hold(on=True)
    ids = send_together(stack, "succeed", "hold", *["succeed"] * 6)
    worker = stack.start_worker()
    _attempt, child, _main = stack.wait_for_start("hold")
    os.kill(int(child), signal.SIGKILL)
    worker.kill()
    stack.hold(on=False)
    stack.start_worker("second")
    for job_id in ids:
        stack.wait_for(job_id, "succeeded")
    assert stack.outcomes(ids[1]) == ["worker-lost", "succeeded"]
    others = [job_id for job_id in ids if job_id != ids[1]]
    assert [stack.outcomes(job_id) for job_id in others] == [["succeeded"]] * len(others)
    assert len(stack.starts("succeed")) == len(others)


def test_a_poisonous_job_costs_the_others_of_its_message_nothing(stack: WorkerStack) -> None:
    ids = send_together(stack, "succeed", "die", *["succeed"] * 6)
    stack.start_worker()
    assert stack.wait_for(ids[1], "dead").attempt == 3
    others = [job_id for job_id in ids if job_id != ids[1]]
    for job_id in others:
        assert stack.wait_for(job_id, "succeeded").attempt == 1
    assert [stack.outcomes(job_id) for job_id in others] == [["succeeded"]] * len(others)


def test_nothing_waits_for_a_slow_job_of_its_message(stack: WorkerStack) -> None:
    stack.hold(on=True)
    ids = send_together(stack, "hold", *["succeed"] * 6)
    stack.start_worker()
    for job_id in ids[1:]:
        assert stack.wait_for(job_id, "succeeded").attempt == 1
    assert stack.job(ids[0]).state == "running"
    stack.hold(on=False)
    assert stack.wait_for(ids[0], "succeeded").attempt == 1


def test_a_cancelled_job_of_a_message_does_not_run(stack: WorkerStack) -> None:
    ids = send_together(stack, "succeed", "reject", "succeed")
    stack.cancel(ids[1])
    stack.start_worker()
    for job_id in (ids[0], ids[2]):
        stack.wait_for(job_id, "succeeded")
    assert (stack.job(ids[1]).state, stack.starts("reject")) == ("cancelled", [])


def test_a_retry_travels_alone(stack: WorkerStack) -> None:
    ids = send_together(stack, "fail_once", *["succeed"] * 3)
    stack.start_worker()
    for job_id in ids:
        stack.wait_for(job_id, "succeeded")
    assert stack.outcomes(ids[0]) == ["retryable", "succeeded"]
    assert [stack.job(job_id).attempt for job_id in ids] == [2, 1, 1, 1]


def test_a_stopping_worker_gives_back_what_has_not_begun(stack: WorkerStack) -> None:
    stack.hold(on=True)
    ids = send_together(stack, "succeed", "hold", *["succeed"] * 6)
    # A lease that outlasts the end of a worker on a busy machine, as in production.
    worker = stack.start_worker(SOFT_SHUTDOWN="1", RUN_LEASE="60")
    stack.wait_for_start("hold")
    worker.signal(signal.SIGTERM)
    assert worker.wait(120), worker.log_tail(60)
    rows = [stack.job(job_id) for job_id in ids]
    assert [(row.state in {"queued", "published"}, row.attempt) for row in rows[1:]] == [(True, 0)] * 7, stack.log()
    assert [stack.outcomes(job_id) for job_id in ids] == [["succeeded"], ["released"]] + [[]] * 6
    stack.hold(on=False)
    stack.start_worker("successor")
    wait_for(lambda: all(stack.job(job_id).state == "succeeded" for job_id in ids), details=stack.log)
    assert [stack.job(job_id).attempt for job_id in ids] == [1] * 8
