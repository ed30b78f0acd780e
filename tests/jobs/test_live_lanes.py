"""Lanes on a real worker with two children: who starts before whom, whatever the machine's speed."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import MakeSettings
from tests.forking.forked_process import ForkServer
from tests.jobs.live.worker_stack import WorkerStack


@pytest.fixture
def stack(
    settings: MakeSettings, database_url: str, redis_url: str, tmp_path: Path, fork_server: ForkServer
) -> Iterator[WorkerStack]:
    stack = WorkerStack(settings(heartbeat_interval=1.0), tmp_path, fork_server)
    yield stack
    stack.close()


# Longer than any test takes: such a job ends because a test cancels it.
LONG = 600.0


def test_a_flood_of_one_person_holds_up_nobody_elses_work(stack: WorkerStack) -> None:
    """A film takes one child, the others wait; uploads of another person run on the other child."""
    stack.start_worker(QUEUES="default,media")
    films: dict[str, Any] = {"principal": "user:1", "group": "films", "where": "media", "seconds": LONG}
    flood = [stack.order("sleep", **films) for _n in range(4)]
    stack.wait_for(flood[0], "running")
    uploads = [stack.order("succeed", principal="user:2", group="uploads", where="media") for _n in range(5)]
    for job_id in uploads:
        stack.wait_for(job_id, "succeeded")
    assert [stack.job(job_id).state for job_id in flood] == ["running", "queued", "queued", "queued"]
    # What a film made room for follows at once, and it is the next.
    stack.cancel(flood[0])
    stack.wait_for(flood[1], "running")
    assert stack.job(flood[2]).state == "queued"
    for job_id in flood[1:]:
        stack.cancel(job_id)


def test_long_lessons_do_not_hold_up_a_short_one(stack: WorkerStack) -> None:
    """Of one kind and one person: the short one runs while the first long one runs."""
    stack.start_worker(QUEUES="media")
    lessons = {"principal": "user:1", "group": "ingest", "where": "media"}
    long = [stack.order("sleep", seconds=LONG, size=300_000_000, **lessons) for _n in range(3)]
    stack.wait_for(long[0], "running")
    short = stack.order("succeed", size=8_000_000, **lessons)
    stack.wait_for(short, "succeeded")
    assert [stack.job(job_id).state for job_id in long] == ["running", "queued", "queued"]
    for job_id in long:
        stack.cancel(job_id)


def test_one_child_does_everything_in_turns(stack: WorkerStack) -> None:
    """Nothing starves, and nothing waits for a second child that does not exist."""
    stack.start_worker(QUEUES="media", WORKER_CONCURRENCY="1")
    films = {"group": "films", "where": "media"}
    first = stack.order("sleep", principal="user:1", seconds=LONG, **films)
    stack.wait_for(first, "running")
    more = [stack.order("succeed", principal="user:1", **films) for _n in range(2)]
    other = stack.order("succeed", principal="user:2", **films)
    large = stack.order("succeed", principal="user:3", group="ingest", where="media", size=500)
    small = stack.order("succeed", principal="user:3", group="ingest", where="media", size=5)
    stack.cancel(first)
    for job_id in (*more, other, large, small):
        assert stack.wait_for(job_id, "succeeded").attempt == 1
    began = [stack.job(job_id).started_at for job_id in (other, *more)]
    assert began == sorted(began)


def test_an_outage_of_the_broker_strands_nothing_in_a_lane(stack: WorkerStack) -> None:
    """What the broker has forgotten keeps its place taken until its lease runs out, and no longer."""
    jobs = [stack.order("succeed", principal="user:1", group="films", where="media") for _n in range(6)]
    stack.forget_messages()
    stack.start_worker(QUEUES="media")
    for job_id in jobs:
        assert stack.wait_for(job_id, "succeeded").attempt == 1
