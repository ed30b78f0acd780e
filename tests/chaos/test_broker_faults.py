"""The broker forgets, freezes, goes away, and cuts its connections: the ledger does not notice, nor do clients."""

import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

import redis

from tests.chaos.mayhem.scene import Scene
from tests.chaos.mayhem.work import Errand
from tests.waiting import PATIENCE, wait_for


def test_everything_forgotten_with_jobs_queued_and_running(scene: Scene) -> None:
    scene.crew.start()
    jobs = [scene.give(Errand(number, seconds=0.3)) for number in range(12)]
    scene.wait_for_start(jobs[0])
    scene.parts.flush_broker()
    assert set(scene.wait_until_over(jobs).values()) == {"succeeded"}
    # The worker that consumed all along gets what is published from now on.
    assert scene.wait_for(scene.give(Errand(99)), "succeeded")["attempt"] == 1
    assert scene.watchdog.ask("SELECT id FROM jobs WHERE attempt <> 1") == []
    assert scene.watchdog.violations() == []


def test_a_frozen_broker_holds_up_no_upload(scene: Scene) -> None:
    scene.start_api()
    scene.crew.start()
    sessions = [scene.new_session() for _n in range(12)]
    assert scene.post_recording(sessions.pop()).status_code == 202
    running = scene.give(Errand(1, seconds=3.0))
    scene.wait_for_start(running)
    scene.parts.freeze_broker()
    jobs = []
    try:
        for session_id in sessions:
            answer = scene.post_recording(session_id)
            assert answer.status_code == 202, answer.text
            jobs.append(answer.json()["job_id"])
        scene.wait_for(running, "succeeded")  # whose lease needs no broker
        assert {scene.job(job)["state"] for job in jobs} <= {"queued", "published"}
    finally:
        scene.parts.thaw_broker()
    assert set(scene.wait_until_over(jobs).values()) == {"succeeded"}
    assert scene.watchdog.violations() == []


def test_broker_restarted_under_load(scene: Scene) -> None:
    scene.crew.start()
    jobs = [scene.give(Errand(number, seconds=0.2)) for number in range(12)]
    scene.wait_for_start(jobs[0])
    scene.parts.stop_broker()
    jobs += [scene.give(Errand(number)) for number in range(100, 105)]
    time.sleep(1.0)
    scene.parts.start_broker()
    assert set(scene.wait_until_over(jobs).values()) == {"succeeded"}
    assert scene.watchdog.ask("SELECT id FROM jobs WHERE attempt <> 1") == []
    assert scene.watchdog.violations() == []


def test_broker_connections_reset_again_and_again(scene: Scene) -> None:
    scene.crew.start()
    jobs = []
    for number in range(20):
        jobs.append(scene.give(Errand(number, seconds=0.1)))
        if number % 4 == 3:
            assert scene.parts.broker_line.reset() > 0
        time.sleep(0.1)
    assert set(scene.wait_until_over(jobs).values()) == {"succeeded"}
    assert scene.watchdog.violations() == []


def test_a_worker_with_work_in_hand_outlives_its_broker(scene: Scene) -> None:
    """One slot is taken, the other waits at the broker when the connection breaks."""
    worker = scene.crew.start()
    running = scene.give(Errand(1, seconds=2.0))
    scene.wait_for_start(running)
    scene.parts.stop_broker()
    time.sleep(0.5)
    scene.parts.start_broker()
    ended = scene.wait_for(running, "succeeded")
    assert (ended["attempt"], scene.outcomes(running)) == (1, ["succeeded"])
    scene.wait_for(scene.give(Errand(2)), "succeeded")
    assert {line["main"] for line in scene.witness.read("started")} == {worker.pid}
    assert worker.exit_code is None


def test_a_worker_that_cannot_go_on_says_so_with_its_exit_status(scene: Scene) -> None:
    """A supervisor that restarts on failure would take 0 for a good end."""
    worker = scene.crew.start()
    with redis.Redis.from_url(scene.parts.valkey.url()) as client:
        client.set("astegni:default", "not a list")
    assert worker.wait(PATIENCE)
    assert worker.exit_code == 1
    assert "WorkerFailed" in worker.log_tail(5)
    scene.parts.flush_broker()
    scene.crew.start()
    scene.wait_for(scene.give(Errand(1)), "succeeded")


@contextmanager
def heard(scene: Scene) -> Iterator[set[tuple[str, str]]]:
    """Within the block: (event, job) of everything that Flower would hear of jobs."""
    events: set[tuple[str, str]] = set()
    listening = threading.Event()

    def take(event: dict[str, Any]) -> None:
        listening.set()
        if event["type"].startswith("task-"):
            events.add((event["type"], event["uuid"].partition(":")[0]))

    with scene.app.connection_for_read() as link:
        receiver = scene.app.events.Receiver(link, handlers={"*": take})

        def listen() -> None:
            with suppress(TimeoutError):
                receiver.capture(timeout=PATIENCE, wakeup=False)

        thread = threading.Thread(target=listen)
        thread.start()
        # A worker's heartbeat shows that the subscription stands.
        assert listening.wait(PATIENCE), scene.crew.log()
        yield events
        receiver.should_stop = True
        thread.join(PATIENCE)


def test_flower_hears_of_every_job_also_after_the_broker_was_away(scene: Scene) -> None:
    """Events wait for one another in a timer, and timers go with the connection."""
    worker = scene.crew.start()
    for _round in range(2):
        with heard(scene) as events:
            jobs = [str(scene.give(Errand(number + 100 * _round))) for number in range(10)]
            scene.wait_until_over(jobs)
            last = str(scene.give(Errand(99 + 100 * _round, seconds=0.3)))
            scene.wait_for(last, "succeeded")
            wanted = {(event, job) for event in ("task-started", "task-succeeded") for job in [*jobs, last]}
            wait_for(lambda: wanted <= events, details=lambda: str(wanted - events))  # noqa: B023 - asked here
        scene.parts.stop_broker()
        time.sleep(0.5)
        scene.parts.start_broker()
    worker.signal(signal.SIGTERM)
    assert worker.wait(PATIENCE), worker.log_tail(40)
