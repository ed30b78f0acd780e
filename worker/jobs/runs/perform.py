"""Process one message: claim the job, do the work, record how it ended."""

import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from structlog.contextvars import bound_contextvars

from worker.after_commit import announce_after_commit
from worker.database import Database
from worker.jobs.orders.order import Order
from worker.jobs.orders.registered import read_order
from worker.jobs.publish import take_back
from worker.jobs.runs.claim import Claim
from worker.jobs.runs.claimer import Claimer
from worker.jobs.runs.error_document import describe
from worker.jobs.runs.failure_hooks import FailureHooks
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.run_failure import settle_failure
from worker.jobs.runs.run_heartbeat import RunHeartbeat
from worker.jobs.runs.run_lease import LeaseTiming
from worker.jobs.runs.run_statements import LeaseLost
from worker.jobs.runs.unstarted_jobs import UnstartedJobs
from worker.logs import get_logger
from worker.metrics.recorder import record_attempt
from worker.tracing.spans import Note, record_past, span

_log = get_logger(__name__)

Work = Callable[[JobRun, Any], None]


def _nothing() -> None:
    return None


def _never() -> bool:
    return False


class JobNotDone(Exception):
    """Raised to Celery for an unsuccessful attempt, so that Flower shows it. The ledger already has the outcome."""


@dataclass(frozen=True)
class Performer:
    """The dependencies of a run: the ledger, this process's name, its lease timing, and the failure hooks."""

    database: Database
    worker: str
    timing: LeaseTiming
    retry_base: float
    failure_hooks: FailureHooks
    # The number of children of this worker, which share lanes; None: lanes are ignored.
    children: int | None = None
    # Called when a job of a lane has ended, since another may now be published.
    publish_waiting: Callable[[], None] = _nothing
    # Whether the worker is shutting down.
    stopping: Callable[[], bool] = _never

    @cached_property
    def _claimer(self) -> Claimer:
        return Claimer(self.database, self.worker, self.timing.lease, self.children)

    @cached_property
    def _heartbeat(self) -> RunHeartbeat:
        return RunHeartbeat(self.timing.heartbeat)

    def perform(self, job_id: UUID, work: Work, *, others: Sequence[UUID] = ()) -> None:
        """Run the job if it can be claimed, then the `others` of its message, each claimed when the one before ends.

        A job that cannot be claimed is ignored. Raises JobNotDone when an attempt did not succeed; its outcome is
        already in the ledger.
        """
        unstarted = UnstartedJobs(others, give_back=self._give_back, stopping=self.stopping)
        next_job = unstarted.peek if others else None
        not_done: list[JobNotDone] = []
        with self._heartbeat.of(unstarted) if others else nullcontext():
            claimed = self._claimer.claim(job_id) or self._claimer.claim_next(unstarted)
            while claimed is not None:
                run = JobRun(self.database, claimed, self.timing, worker=self.worker, next_job=next_job)
                try:
                    self._run_bound(run, work)
                except JobNotDone as error:
                    not_done.append(error)
                if run.next_claim is not None:
                    unstarted.remove(run.next_claim.job_id)
                claimed = run.next_claim or self._claimer.claim_next(unstarted)
        if not_done:
            raise not_done[0]

    def _run_bound(self, run: JobRun, work: Work) -> None:
        claimed = run.claim
        # Bound to every log line of the run, and to the orders that it places (worker/jobs/enqueue.py).
        with bound_contextvars(job_id=str(claimed.job_id), kind=claimed.kind, request_id=claimed.request_id):
            try:
                self._run_traced(run, work)
            finally:
                if claimed.lane is not None:
                    self.publish_waiting()

    def _run_traced(self, run: JobRun, work: Work) -> None:
        """Run within a span, and record one for the wait before it, both in the trace that ordered the job."""
        claimed = run.claim
        ids = {"attempt": claimed.attempt, "subject": claimed.subject}
        record_past("job wait", max(0.0, claimed.waited), parent=claimed.traceparent, **ids)
        with span("job attempt", parent=claimed.traceparent, **ids) as note:
            self._run(run, work, note)

    def _run(self, run: JobRun, work: Work, note: Note) -> None:
        claimed, began = run.claim, time.monotonic()
        if run.alone:
            # Most jobs of a shared message end within milliseconds, and a log line is a sixth of a child's cost for
            # one.
            _log.info("job_started", attempt=claimed.attempt)
        outcome = "lost"
        try:
            with self._heartbeat.of(run.lease):
                work(run, _order_of(claimed))
                if not run.finished:
                    run.succeed()
            outcome = "succeeded"
        except Exception as error:
            if run.lost or isinstance(error, LeaseLost):
                # The run was asked to stop, so any other error is not the job's outcome. The reaper decides.
                _log.warning("lease_lost")
                raise JobNotDone("lease lost") from error
            # Every kind of failure is settled in the ledger first.
            outcome = settle_failure(self.database, self.failure_hooks, run, error, retry_base=self.retry_base)
            raise JobNotDone(f"{outcome}: {describe(error)['detail']}") from error
        else:
            _log.info("job_succeeded", seconds=round(time.monotonic() - began, 3))
        finally:
            note(outcome=outcome)
            record_attempt(claimed.kind, outcome, waited=claimed.waited, ran=time.monotonic() - began)

    def _give_back(self, job_ids: list[UUID]) -> None:
        with self.database.transaction() as session:
            take_back(session, job_ids)
            for job_id in job_ids:
                announce_after_commit(session, job_id)


def _order_of(claimed: Claim) -> Order:
    return read_order(claimed.kind, claimed.args)
