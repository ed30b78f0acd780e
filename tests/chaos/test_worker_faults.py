"""Workers that are killed, stopped and replaced."""

import os
import random
import signal
import time

from tests.chaos.mayhem.crew import children
from tests.chaos.mayhem.scene import Scene
from tests.chaos.mayhem.work import Errand, Poison
from tests.waiting import PATIENCE, wait_for
from worker.jobs.cancel import cancel_job


def test_hundred_errands_under_random_kills_end_once(scene: Scene) -> None:
    dice = random.Random(7)
    for _n in range(2):
        scene.crew.start()
    jobs = [scene.give(Errand(number, seconds=0.02)) for number in range(100)]
    for _n in range(6):
        worker = dice.choice(scene.crew.workers)
        if dice.random() < 0.6:
            if pool := children(worker.pid):
                os.kill(dice.choice(pool), signal.SIGKILL)
        else:
            scene.crew.forget(worker)
            scene.crew.start(wait=False)
        time.sleep(0.4)
    states = scene.wait_until_over(jobs)
    assert set(states.values()) == {"succeeded"}
    assert scene.watchdog.violations() == []
    accepted = [line["job"] for line in scene.witness.read("accepted")]
    assert len(accepted) == len(set(accepted)) <= 100
    assert {line["job"] for line in scene.witness.read("started")} == {str(job) for job in jobs}


def test_a_stopped_run_that_comes_back_writes_nothing(scene: Scene) -> None:
    scene.crew.start()
    job = scene.give(Errand(1, what="trudge", seconds=0.5))
    zombie = scene.wait_for_start(job)
    os.kill(zombie["pid"], signal.SIGSTOP)
    try:
        heir = scene.wait_for_start(job, 2)
        scene.wait_for(job, "succeeded")
        ended = scene.job(job)
    finally:
        os.kill(zombie["pid"], signal.SIGCONT)
    refused = wait_for(lambda: scene.witness.read("refused"), details=scene.crew.log)
    assert [line["token"] for line in refused] == [zombie["token"]]
    assert scene.job(job) == ended
    effects = scene.watchdog.ask("SELECT token::text FROM chaos_effects")
    assert [row["token"] for row in effects] == [heir["token"]]
    assert scene.outcomes(job) == ["worker-lost", "succeeded"]
    assert scene.watchdog.violations() == []
    # The zombie's process is as good as before: it takes the next job.
    assert scene.wait_for(scene.give(Errand(2)), "succeeded")["attempt"] == 1


def test_cancelled_while_its_worker_died(scene: Scene) -> None:
    scene.crew.start()
    job = scene.give(Errand(1, seconds=30.0))
    os.kill(scene.wait_for_start(job)["pid"], signal.SIGKILL)
    with scene.database.transaction() as session:
        assert cancel_job(session, {}, job) == "running"
    ended = scene.wait_for(job, "cancelled")
    assert (ended["attempt"], ended["error"]["code"]) == (1, "cancelled")
    assert scene.outcomes(job) == ["worker-lost"]
    assert len(scene.witness.read("started")) == 1
    assert scene.watchdog.violations() == []


def test_poison_holds_up_nobody(scene: Scene) -> None:
    scene.crew.start()
    poison = scene.give(Poison(1, what="die"))
    scene.wait_for_start(poison)
    for number in range(2, 12):
        scene.wait_for(scene.give(Errand(number)), "succeeded")
    assert scene.job(poison)["state"] in {"running", "retryable", "published"}
    # A second attempt, in time: nothing stands in front of it.
    scene.wait_for_start(poison, 2)
    assert scene.watchdog.violations() == []


def test_rolling_restart_under_load_charges_nothing(scene: Scene) -> None:
    for _n in range(2):
        scene.crew.start()
    # The first ones take longer than the soft shutdown waits (2 s): they are given back.
    long = [scene.give(Errand(number, seconds=4.0)) for number in range(2)]
    jobs = long + [scene.give(Errand(number, seconds=0.05)) for number in range(2, 40)]
    for job in long:
        scene.wait_for_start(job)
    for worker in list(scene.crew.workers):
        time.sleep(0.5)
        worker.signal(signal.SIGTERM)
        scene.crew.start(wait=False)
        assert worker.wait(PATIENCE), worker.log_tail(40)
        assert scene.crew.forget(worker) == 0
    states = scene.wait_until_over(jobs)
    assert set(states.values()) == {"succeeded"}
    assert scene.watchdog.ask("SELECT id, attempt FROM jobs WHERE attempt <> 1") == []
    outcomes = scene.watchdog.ask("SELECT outcome, count(*) AS n FROM job_attempts GROUP BY outcome")
    counts = {row["outcome"]: row["n"] for row in outcomes}
    assert counts.keys() == {"succeeded", "released"}
    assert counts["succeeded"] == len(jobs)
    assert scene.watchdog.violations() == []
