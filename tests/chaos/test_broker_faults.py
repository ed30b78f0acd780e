"""The broker loses messages, freezes, stops and cuts connections: neither the ledger nor clients are affected."""

import re
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis

from tests.chaos.harness.environment import Environment
from tests.chaos.harness.work import ChaosOrder
from tests.waiting import TIMEOUT, wait_for


def test_everything_forgotten_with_jobs_queued_and_running(environment: Environment) -> None:
    environment.workers.start()
    jobs = [environment.submit(ChaosOrder(number, seconds=0.3)) for number in range(12)]
    environment.wait_for_start(jobs[0])
    environment.servers.broker.flush()
    assert set(environment.wait_until_finished(jobs).values()) == {"succeeded"}
    # The worker that consumed all along gets what is published from now on.
    assert environment.wait_for(environment.submit(ChaosOrder(99)), "succeeded")["attempt"] == 1
    assert environment.watchdog.ask("SELECT id FROM jobs WHERE attempt <> 1") == []
    assert environment.watchdog.violations() == []


def test_a_frozen_broker_holds_up_no_upload(environment: Environment) -> None:
    environment.start_api()
    environment.workers.start()
    sessions = [environment.new_session() for _n in range(12)]
    assert environment.post_recording(sessions.pop()).status_code == 202
    running = environment.submit(ChaosOrder(1, seconds=3.0))
    environment.wait_for_start(running)
    environment.servers.broker.freeze()
    jobs = []
    try:
        for session_id in sessions:
            response = environment.post_recording(session_id)
            assert response.status_code == 202, response.text
            jobs.append(response.json()["job_id"])
        environment.wait_for(running, "succeeded")  # whose lease needs no broker
        assert {environment.job(job)["state"] for job in jobs} <= {"queued", "published"}
    finally:
        environment.servers.broker.thaw()
    assert set(environment.wait_until_finished(jobs).values()) == {"succeeded"}
    assert environment.watchdog.violations() == []


def test_broker_restarted_under_load(environment: Environment) -> None:
    environment.workers.start()
    jobs = [environment.submit(ChaosOrder(number, seconds=0.2)) for number in range(12)]
    environment.wait_for_start(jobs[0])
    environment.servers.broker.stop()
    jobs += [environment.submit(ChaosOrder(number)) for number in range(100, 105)]
    time.sleep(1.0)
    environment.servers.start_broker()
    assert set(environment.wait_until_finished(jobs).values()) == {"succeeded"}
    assert environment.watchdog.ask("SELECT id FROM jobs WHERE attempt <> 1") == []
    assert environment.watchdog.violations() == []


def test_broker_connections_reset_again_and_again(environment: Environment) -> None:
    environment.workers.start()
    jobs = []
    for number in range(20):
        jobs.append(environment.submit(ChaosOrder(number, seconds=0.1)))
        if number % 4 == 3:
            assert environment.servers.broker_line.reset() > 0
        time.sleep(0.1)
    assert set(environment.wait_until_finished(jobs).values()) == {"succeeded"}
    assert environment.watchdog.violations() == []


def test_a_worker_with_work_in_hand_outlives_its_broker(environment: Environment) -> None:
    """One slot is taken, the other waits at the broker when the connection breaks."""
    worker = environment.workers.start()
    running = environment.submit(ChaosOrder(1, seconds=2.0))
    environment.wait_for_start(running)
    environment.servers.broker.stop()
    time.sleep(0.5)
    environment.servers.start_broker()
    ended = environment.wait_for(running, "succeeded")
    assert (ended["attempt"], environment.outcomes(running)) == (1, ["succeeded"])
    environment.wait_for(environment.submit(ChaosOrder(2)), "succeeded")
    assert {line["main"] for line in environment.event_log.read("started")} == {worker.pid}
    assert worker.exit_code is None


def test_a_worker_that_cannot_go_on_says_so_with_its_exit_status(environment: Environment) -> None:
    """A supervisor that restarts on failure would take 0 for a good end."""
    worker = environment.workers.start()
    with redis.Redis.from_url(environment.servers.broker.url()) as client:
        client.set("astegni:default", "not a list")
    assert worker.wait(TIMEOUT)
    assert worker.exit_code == 1
    assert "WorkerFailed" in worker.log_tail(5)
    environment.servers.broker.flush()
    environment.workers.start()
    environment.wait_for(environment.submit(ChaosOrder(1)), "succeeded")


_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@contextmanager
def celery_events(environment: Environment) -> Iterator[set[tuple[str, str]]]:
    """Within the block: (event, job) of all that Flower would hear of jobs; several of them may share a task."""
    events: set[tuple[str, str]] = set()
    jobs_of: dict[str, list[str]] = {}
    listening = threading.Event()

    def take(event: dict[str, Any]) -> None:
        listening.set()
        if event["type"].startswith("task-"):
            if "args" in event:
                jobs_of[event["uuid"]] = _UUID.findall(event["args"])
            events.update((event["type"], job) for job in jobs_of.get(event["uuid"], ()))

    with environment.app.connection_for_read() as link:
        receiver = environment.app.events.Receiver(link, handlers={"*": take})

        def listen() -> None:
            with suppress(TimeoutError):
                receiver.capture(timeout=TIMEOUT, wakeup=False)

        thread = threading.Thread(target=listen)
        thread.start()
        # A worker's heartbeat shows that the subscription stands.
        assert listening.wait(TIMEOUT), environment.workers.log()
        yield events
        receiver.should_stop = True
        thread.join(TIMEOUT)


def test_flower_hears_of_every_job_also_after_the_broker_was_away(environment: Environment) -> None:
    """Events wait for one another in a timer, and timers go with the connection."""
    worker = environment.workers.start()
    for _round in range(2):
        with celery_events(environment) as events:
            jobs = [str(environment.submit(ChaosOrder(number + 100 * _round))) for number in range(10)]
            environment.wait_until_finished(jobs)
            last = str(environment.submit(ChaosOrder(99 + 100 * _round, seconds=0.3)))
            environment.wait_for(last, "succeeded")
            expected_events = {(event, job) for event in ("task-started", "task-succeeded") for job in [*jobs, last]}
            wait_for(lambda: expected_events <= events, details=lambda: str(expected_events - events))  # noqa: B023 - asked here
        environment.servers.broker.stop()
        time.sleep(0.5)
        environment.servers.start_broker()
    worker.signal(signal.SIGTERM)
    assert worker.wait(TIMEOUT), worker.log_tail(40)
