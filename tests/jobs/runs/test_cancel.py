"""A request to cancel a running job outlives the end of that run, whatever ends it."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.jobs.conftest import Ledger, SampleOrder
from tests.statements import waits_for_a_lock
from tests.waiting import wait_for
from worker.errors import Conflict, Unavailable
from worker.jobs.publish import PublicationLease, publish
from worker.jobs.reaper import reap
from worker.jobs.runs.cancel import cancel_job, retry_job
from worker.jobs.runs.failure_hooks import FailedJob, FailureHooks
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.retry import Decision
from worker.jobs.runs.run_lease import LeaseTiming
from worker.jobs.runs.run_statements import end
from worker.jobs.runs.settle import release_runs, settle

# The heartbeat reads the request too late.
TIMING = LeaseTiming(30, 10, 10)


@pytest.fixture
def ended() -> list[FailedJob]:
    """The calls of the order's hook."""
    return []


@pytest.fixture
def hooks(ended: list[FailedJob]) -> FailureHooks:
    def hook(_session: Session, _order: Any, job: FailedJob) -> None:
        ended.append(job)

    return {SampleOrder: hook}


def request_cancel(ledger: Ledger, job_id: UUID) -> None:
    with ledger.database.transaction() as session:
        assert cancel_job(session, {}, job_id) == "running"


def test_a_failure_after_the_request_is_not_retried(
    ledger: Ledger, hooks: FailureHooks, ended: list[FailedJob]
) -> None:
    job_id = ledger.order(SampleOrder(key="same"))

    def work(_run: JobRun, _order: SampleOrder) -> None:
        request_cancel(ledger, job_id)
        raise Unavailable("B2 does not answer.")

    with pytest.raises(JobNotDone, match=r"^cancelled"):
        Performer(ledger.database, "w1", TIMING, 5.0, hooks).perform(job_id, work)
    job = ledger.job(job_id)
    assert (job.state, job.error["code"], job.finished_at is not None) == ("cancelled", "cancelled", True)
    assert [(each.state, each.error["code"]) for each in ended] == [("cancelled", "cancelled")]
    # What the attempt itself ended with.
    assert [(line.outcome, line.error["code"]) for line in ledger.attempts(job_id)] == [("retryable", "unavailable")]
    assert ledger.order(SampleOrder(key="same")) != job_id


def test_a_run_that_ends_at_the_moment_of_the_request(ledger: Ledger, hooks: FailureHooks) -> None:
    job_id = ledger.order(SampleOrder())
    ledger.claim(job_id)
    job = ledger.job(job_id)

    def fail() -> str:
        with ledger.database.transaction() as session:
            return settle(session, hooks, job, Decision("retryable", 5.0), {"code": "unavailable"})

    with ThreadPoolExecutor(1) as pool:
        with ledger.database.transaction() as session:
            assert cancel_job(session, hooks, job_id) == "running"
            failing = pool.submit(fail)
            wait_for(lambda: waits_for_a_lock(ledger.database))
        assert failing.result() == ledger.job(job_id).state == "cancelled"


def test_a_shutdown_after_the_request_queues_nothing(
    ledger: Ledger, hooks: FailureHooks, ended: list[FailedJob]
) -> None:
    job_id = ledger.order(SampleOrder())
    ledger.claim(job_id, worker="closing")
    request_cancel(ledger, job_id)
    assert release_runs(ledger.database, hooks, "closing") == 1
    assert ledger.job(job_id).state == "cancelled"
    assert [each.state for each in ended] == ["cancelled"]
    assert [line.outcome for line in ledger.attempts(job_id)] == ["released"]


def test_an_order_while_a_job_is_being_cancelled_gets_one_that_begins_after_it(
    ledger: Ledger, hooks: FailureHooks, sample_order: type[SampleOrder]
) -> None:
    first = ledger.order(sample_order(key="same"))
    run = ledger.claim(first)
    with ledger.database.transaction() as session:
        cancel_job(session, hooks, first)

    second = ledger.order(sample_order(key="same"))

    assert second != first
    assert ledger.order(sample_order(key="same")) == second
    assert ledger.try_claim(second) is None
    with ledger.database.transaction() as session:
        end(session, first, run.token, state="cancelled", outcome="cancelled")
    with ledger.database.transaction() as session, pytest.raises(Conflict):
        retry_job(session, first)
    again = ledger.claim(second)
    with ledger.database.transaction() as session:
        end(session, second, again.token, state="succeeded")
    with ledger.database.transaction() as session:
        retry_job(session, first)
    assert ledger.order(sample_order(key="same")) == first


def test_a_success_after_the_request_is_kept(ledger: Ledger, hooks: FailureHooks) -> None:
    job_id = ledger.order(SampleOrder())

    def work(_run: JobRun, _order: SampleOrder) -> None:
        request_cancel(ledger, job_id)

    Performer(ledger.database, "w1", TIMING, 5.0, hooks).perform(job_id, work)
    assert ledger.job(job_id).state == "succeeded"


def test_a_job_that_an_earlier_release_left_waiting_is_cancelled(
    ledger: Ledger, hooks: FailureHooks, ended: list[FailedJob]
) -> None:
    job_id = ledger.order(SampleOrder())
    with ledger.database.transaction() as session:
        session.execute(text("UPDATE jobs SET state = 'retryable', cancel_requested_at = now()"))
    assert publish(ledger.database, lambda _message: None, PublicationLease(20.0, 600.0)) == 1
    assert ledger.try_claim(job_id) is None
    ledger.expire_lease(job_id)
    assert reap(ledger.database, hooks) == 1
    assert ledger.job(job_id).state == "cancelled"
    assert [each.state for each in ended] == ["cancelled"]
