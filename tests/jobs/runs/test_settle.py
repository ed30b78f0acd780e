"""A run whose arguments belong to another release ends, and that release can do the job later."""

from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.jobs.conftest import Ledger, SampleOrder
from worker.jobs.reaper import reap
from worker.jobs.runs.cancel import cancel_job, retry_job
from worker.jobs.runs.failure_hooks import FailedJob, FailureHooks
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming


def hook(_session: Session, order: SampleOrder, _ended: FailedJob) -> None:
    raise AssertionError(f"called for {order}")


HOOKS: FailureHooks = {SampleOrder: hook}


def perform(ledger: Ledger, job_id: UUID) -> list[Any]:
    """Run the job now; returns the orders that it was given."""
    done: list[Any] = []

    def work(_run: JobRun, order: Any) -> None:
        done.append(order)

    write(ledger, "UPDATE jobs SET run_at = now() WHERE id = :id", job_id)
    Performer(ledger.database, "w1", LeaseTiming(30, 10, 0.05), 0.01, HOOKS).perform(job_id, work)
    return done


def write(ledger: Ledger, statement: str, job_id: UUID) -> None:
    with ledger.database.transaction() as session:
        session.execute(text(statement), {"id": job_id})


@pytest.fixture
def odd(ledger: Ledger) -> UUID:
    """A job that another release ordered."""
    job_id = ledger.order(SampleOrder(rows=7))
    write(ledger, """UPDATE jobs SET args = args || '{"colour": "red"}' WHERE id = :id""", job_id)
    return job_id


def test_the_job_dies_with_the_reason_and_runs_after_the_upgrade(ledger: Ledger, odd: UUID) -> None:
    states = []
    for _attempt in range(SampleOrder.max_attempts):
        with pytest.raises(JobNotDone, match="another release, which differs in colour"):
            perform(ledger, odd)
        job = ledger.job(odd)
        states.append((job.state, job.error["code"]))
    assert states == [(state, "unreadable-arguments") for state in ("retryable", "retryable", "dead")]

    write(ledger, "UPDATE jobs SET args = args - 'colour' WHERE id = :id", odd)
    with ledger.database.transaction() as session:
        retry_job(session, odd)
    assert perform(ledger, odd) == [SampleOrder(rows=7)]
    assert ledger.job(odd).state == "succeeded"


def test_workers_of_the_other_release_get_time_to_start(ledger: Ledger, odd: UUID) -> None:
    with pytest.raises(JobNotDone):
        perform(ledger, odd)
    job = ledger.job(odd)
    assert (job.run_at - ledger.attempts(odd)[0].ended_at).total_seconds() >= 60


def test_a_lost_run_of_another_release_ends(ledger: Ledger, odd: UUID) -> None:
    for _attempt in range(SampleOrder.max_attempts):
        ledger.claim(odd)
        ledger.expire_lease(odd)
        assert reap(ledger.database, HOOKS) == 1
    assert ledger.job(odd).state == "dead"


def test_a_cancelled_run_of_another_release_ends(ledger: Ledger, odd: UUID) -> None:
    ledger.claim(odd)
    with ledger.database.transaction() as session:
        assert cancel_job(session, HOOKS, odd) == "running"
    ledger.expire_lease(odd)
    assert reap(ledger.database, HOOKS) == 1
    assert ledger.job(odd).state == "cancelled"
