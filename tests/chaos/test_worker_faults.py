"""Workers that are killed, stopped and replaced."""

import os
import random
import signal
import time

import pytest

from tests.chaos.harness.environment import Environment
from tests.chaos.harness.work import ChaosOrder, PoisonOrder
from tests.chaos.harness.workers import children
from tests.waiting import TIMEOUT, wait_for
from worker.jobs.runs.cancel import cancel_job


def test_hundred_orders_under_random_kills_end_once(environment: Environment) -> None:
    dice = random.Random(7)
    for _n in range(2):
        environment.workers.start()
    jobs = [environment.submit(ChaosOrder(number, seconds=0.02)) for number in range(100)]
    for _n in range(6):
        worker = dice.choice(environment.workers.running)
        if dice.random() < 0.6:
            if pool := children(worker.pid):
                os.kill(dice.choice(pool), signal.SIGKILL)
        else:
            environment.workers.forget(worker)
            environment.workers.start(wait=False)
        time.sleep(0.4)
    # A worker whose child is killed while it starts ends by itself; a supervisor starts another.
    environment.workers.start()
    states = environment.wait_until_finished(jobs)
    assert set(states.values()) == {"succeeded"}
    assert environment.watchdog.violations() == []
    accepted = [line["job"] for line in environment.event_log.read("accepted")]
    assert len(accepted) == len(set(accepted)) <= 100
    assert {line["job"] for line in environment.event_log.read("started")} == {str(job) for job in jobs}


def test_a_stopped_run_that_comes_back_writes_nothing(environment: Environment) -> None:
    environment.workers.start()
    job = environment.submit(ChaosOrder(1, what="trudge", seconds=0.5))
    zombie = environment.wait_for_start(job)
    os.kill(zombie["pid"], signal.SIGSTOP)
    try:
        successor = environment.wait_for_start(job, 2)
        environment.wait_for(job, "succeeded")
        ended = environment.job(job)
    finally:
        os.kill(zombie["pid"], signal.SIGCONT)
    refused = wait_for(lambda: environment.event_log.read("refused"), details=environment.workers.log)
    assert [line["token"] for line in refused] == [zombie["token"]]
    assert environment.job(job) == ended
    effects = environment.watchdog.ask("SELECT token::text FROM chaos_effects")
    assert [row["token"] for row in effects] == [successor["token"]]
    assert environment.outcomes(job) == ["worker-lost", "succeeded"]
    assert environment.watchdog.violations() == []
    # The zombie's process is as good as before: it takes the next job.
    assert environment.wait_for(environment.submit(ChaosOrder(2)), "succeeded")["attempt"] == 1


def test_cancelled_while_its_worker_died(environment: Environment) -> None:
    environment.workers.start()
    job = environment.submit(ChaosOrder(1, seconds=30.0))
    os.kill(environment.wait_for_start(job)["pid"], signal.SIGKILL)
    with environment.database.transaction() as session:
        assert cancel_job(session, {}, job) == "running"
    ended = environment.wait_for(job, "cancelled")
    assert (ended["attempt"], ended["error"]["code"]) == (1, "cancelled")
    assert environment.outcomes(job) == ["worker-lost"]
    assert len(environment.event_log.read("started")) == 1
    assert environment.watchdog.violations() == []


def test_poison_holds_up_nobody(environment: Environment) -> None:
    environment.workers.start()
    poison = environment.submit(PoisonOrder(1, what="die"))
    environment.wait_for_start(poison)
    for number in range(2, 12):
        environment.wait_for(environment.submit(ChaosOrder(number)), "succeeded")
    assert environment.job(poison)["state"] in {"running", "retryable", "published"}
    # A second attempt, in time: nothing stands in front of it.
    environment.wait_for_start(poison, 2)
    assert environment.watchdog.violations() == []


def test_a_job_that_starts_during_the_shutdown_is_released(unhurried: Environment) -> None:
    """The children are stopped until the worker has begun to end: it cannot know what they start then."""
    unhurried.workers.start()
    [worker] = unhurried.workers.running
    pool = children(worker.pid)
    for child in pool:
        os.kill(child, signal.SIGSTOP)
    job = unhurried.submit(ChaosOrder(1, what="hold", seconds=2 * TIMEOUT))
    # As the main process says: the broker counts the message a moment before.
    control = unhurried.app.control.inspect(timeout=1)
    wait_for(lambda: any((control.reserved() or {}).values()), details=unhurried.workers.log)
    worker.signal(signal.SIGTERM)
    wait_for(lambda: "soft_shutdown" in worker.log_tail(20), details=unhurried.workers.log)
    for child in pool:
        os.kill(child, signal.SIGCONT)
    unhurried.wait_for_start(job)
    assert worker.wait(TIMEOUT), worker.log_tail(40)
    assert unhurried.outcomes(job) == ["released"]
    assert unhurried.job(job)["state"] == "queued"


def test_the_shutdown_ends_with_the_runs_and_not_with_its_timeout(unhurried: Environment) -> None:
    """Both jobs end while the main process cannot read of it: one before SIGTERM is handled, one after."""
    never = str(100 * TIMEOUT)
    unhurried.workers.start(SOFT_SHUTDOWN=never)
    [worker] = unhurried.workers.running
    first, second = (unhurried.submit(ChaosOrder(number, what="hold", seconds=TIMEOUT)) for number in (1, 2))
    for job in (first, second):
        unhurried.wait_for_start(job)
    stopped = unhurried.wait_for_start(second)["pid"]
    os.kill(stopped, signal.SIGSTOP)
    worker.signal(signal.SIGSTOP)
    unhurried.event_log.write("opened")
    unhurried.wait_for(first, "succeeded")
    worker.signal(signal.SIGTERM)
    worker.signal(signal.SIGCONT)
    wait_for(lambda: "soft_shutdown" in worker.log_tail(20), details=unhurried.workers.log)
    os.kill(stopped, signal.SIGCONT)
    assert worker.wait(TIMEOUT), worker.log_tail(40)
    assert '"interrupted": 0' in worker.log_tail(40)
    assert unhurried.workers.forget(worker) == 0
    assert [unhurried.outcomes(job) for job in (first, second)] == [["succeeded"], ["succeeded"]]


@pytest.mark.parametrize("before", [True, False])
def test_the_shutdown_does_not_wait_for_a_child_that_was_killed(unhurried: Environment, before: bool) -> None:
    """As by the kernel when memory runs out. The main process cannot notice: before SIGTERM it is stopped."""
    unhurried.workers.start(SOFT_SHUTDOWN=str(100 * TIMEOUT))
    [worker] = unhurried.workers.running
    ended, lost = (unhurried.submit(ChaosOrder(number, what="hold", seconds=TIMEOUT)) for number in (1, 2))
    for job in (ended, lost):
        unhurried.wait_for_start(job)
    child = unhurried.wait_for_start(lost)["pid"]
    if before:
        worker.signal(signal.SIGSTOP)
        os.kill(child, signal.SIGKILL)
    worker.signal(signal.SIGTERM)
    worker.signal(signal.SIGCONT)
    wait_for(lambda: "soft_shutdown" in worker.log_tail(20), details=unhurried.workers.log)
    if not before:
        os.kill(child, signal.SIGKILL)
    unhurried.event_log.write("opened")
    assert worker.wait(TIMEOUT), worker.log_tail(40)
    assert unhurried.workers.forget(worker) == 0
    assert [unhurried.outcomes(job) for job in (ended, lost)] == [["succeeded"], ["released"]]


def test_rolling_restart_under_load_charges_nothing(unhurried: Environment) -> None:
    # With a lease of seconds a slow machine lets it expire between the end of a child and its release.
    for _n in range(2):
        unhurried.workers.start()
    # The first ones outlast every soft shutdown (2 s): they are released each time.
    long = [unhurried.submit(ChaosOrder(number, what="hold", seconds=45.0)) for number in range(2)]
    jobs = long + [unhurried.submit(ChaosOrder(number, seconds=0.05)) for number in range(2, 40)]
    for job in long:
        unhurried.wait_for_start(job)
    for worker in list(unhurried.workers.running):
        worker.signal(signal.SIGTERM)
        unhurried.workers.start(wait=False)
        assert worker.wait(TIMEOUT), worker.log_tail(40)
        assert unhurried.workers.forget(worker) == 0
    unhurried.event_log.write("opened")
    states = unhurried.wait_until_finished(jobs)
    assert set(states.values()) == {"succeeded"}
    assert unhurried.watchdog.ask("SELECT id, attempt FROM jobs WHERE attempt <> 1") == []
    outcomes = unhurried.watchdog.ask("SELECT outcome, count(*) AS n FROM job_attempts GROUP BY outcome")
    counts = {row["outcome"]: row["n"] for row in outcomes}
    assert counts.keys() == {"succeeded", "released"}
    assert counts["succeeded"] == len(jobs)
    assert unhurried.watchdog.violations() == []
