"""Process one message: claim the job, do the work, record how it ended."""

import random
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from worker.database import AWAY, Database
from worker.errors import AstegniError
from worker.jobs.claim import Claim, claim
from worker.jobs.error_document import describe
from worker.jobs.failure_hooks import FailureHooks
from worker.jobs.job_run import JobCancelled, JobRun, LeaseTiming
from worker.jobs.lanes import claim_in_lane
from worker.jobs.order import Order
from worker.jobs.orders import read_order
from worker.jobs.retry import Decision, after_failure, equal_failures, final_words
from worker.jobs.run_heartbeat import Pulse
from worker.jobs.run_statements import LeaseLost, attempts_before
from worker.jobs.settle import settle
from worker.jobs.wait_for_database import retry_while_database_down
from worker.logs import get_logger
from worker.metrics.recorder import record_attempt
from worker.tracing.crashes import report_crash
from worker.tracing.spans import Note, record_past, span

_log = get_logger(__name__)

Work = Callable[[JobRun, Any], None]


def _nothing() -> None:
    return None


class JobNotDone(Exception):
    """Raised to Celery for an unsuccessful attempt, so that Flower shows it. The ledger already has the outcome."""


@dataclass(frozen=True)
class Performer:
    """The dependencies of a run: the ledger, this process's name, its lease timing, and the failure hooks."""

    database: Database
    worker: str
    rhythm: LeaseTiming
    retry_base: float
    endings: FailureHooks
    # Children of this worker, which the jobs of a lane share; None: lanes are ignored.
    children: int | None = None
    # Called when a job of a lane has ended, since another may now be published.
    publish_waiting: Callable[[], None] = _nothing

    @cached_property
    def _pulse(self) -> Pulse:
        return Pulse(self.rhythm.pulse)

    def perform(self, job_id: UUID, work: Work) -> None:
        """Run the job if it can be claimed; otherwise acknowledge the message and ignore it.

        Raises JobNotDone when the attempt did not succeed and the ledger already says so.
        """
        # A worker that did not wait would empty the broker while the database restarts, and messages lost that way
        # return only when the lease of their publication expires.
        claimed = retry_while_database_down(lambda: self._claim(job_id), seconds=self.rhythm.lease)
        if claimed is None:
            _log.info("message_refused", job_id=str(job_id))
            return
        # Bound to every log line of the run, and to the orders that it places (worker/jobs/enqueue.py).
        with bound_contextvars(job_id=str(job_id), kind=claimed.kind, request_id=claimed.request_id):
            try:
                self._run_traced(JobRun(self.database, claimed, self.rhythm), work)
            finally:
                if claimed.lane is not None:
                    self.publish_waiting()

    def _run_traced(self, run: JobRun, work: Work) -> None:
        """Run within a span, and record one of the wait before it; both in the trace of what ordered the job."""
        claimed = run.claim
        ids = {"attempt": claimed.attempt, "subject": claimed.subject}
        record_past("job wait", max(0.0, claimed.waited), parent=claimed.traceparent, **ids)
        with span("job attempt", parent=claimed.traceparent, **ids) as note:
            self._run(run, work, note)

    def _run(self, run: JobRun, work: Work, note: Note) -> None:
        claimed, began = run.claim, time.monotonic()
        _log.info("job_started", attempt=claimed.attempt)
        outcome = "lost"
        try:
            with self._pulse.of(run):
                work(run, _order_of(claimed))
                if not run.finished:
                    run.succeed()
            outcome = "succeeded"
        except Exception as error:
            if run.lost or isinstance(error, LeaseLost):
                # The run was told to stop, so any other error is not the job's outcome. The reaper decides.
                _log.warning("lease_lost")
                raise JobNotDone("lease lost") from error
            # Every way a job can fail is settled in the ledger first.
            outcome = self._settle_failure(run, error)
            raise JobNotDone(f"{outcome}: {describe(error)['detail']}") from error
        else:
            _log.info("job_succeeded", seconds=round(time.monotonic() - began, 3))
        finally:
            note(outcome=outcome)
            record_attempt(claimed.kind, outcome, waited=claimed.waited, ran=time.monotonic() - began)

    def _claim(self, job_id: UUID) -> Claim | None:
        lease = self.rhythm.lease
        with self.database.statement() as session:
            claimed = claim(session, job_id, worker=self.worker, lease=lease, lanes=self.children is None)
        if claimed is not None or self.children is None:
            return claimed
        with self.database.transaction() as session:
            lane_claim = claim_in_lane(session, job_id, worker=self.worker, lease=lease, children=self.children)
        if isinstance(lane_claim, str):
            _log.info("lane_full", job_id=str(job_id), lane=lane_claim)
            return None
        return lane_claim

    def _settle_failure(self, run: JobRun, error: Exception) -> str:
        claimed = run.claim
        if run.cancelled:
            # Any failure is a consequence of the request to stop: a killed ffmpeg, an interrupted upload.
            error = JobCancelled("The job was cancelled before it was done.")
        document = describe(error)
        ended = _EndedRun(claimed.job_id, claimed.token, claimed.kind, claimed.args)

        def write() -> str:
            with self.database.transaction() as session:
                decision, final = self._decide(session, claimed, error, document)
                settle(session, self.endings, ended, decision, final)
            return decision.state

        state = "lost"
        try:
            state = retry_while_database_down(write, seconds=run.lease_left)
        except LeaseLost:
            _log.warning("lease_lost", job_id=str(claimed.job_id), kind=claimed.kind)
        ids = {"job_id": str(claimed.job_id), "kind": claimed.kind, "state": state}
        if isinstance(error, AstegniError | SoftTimeLimitExceeded):
            reason = {name: document[name] for name in ("code", "detail", "program_error") if name in document}
            _log.warning("job_not_done", **ids, **reason)
        else:
            _log.error("job_crashed", **ids, exc_info=error)
            report_crash(error)
        return state

    def _decide(
        self, session: Session, claimed: Claim, error: Exception, document: dict[str, Any]
    ) -> tuple[Decision, dict[str, Any]]:
        """The next state of the job, and the error as it is stored."""
        if isinstance(error, JobCancelled):
            return Decision("cancelled"), document
        retryable = error.retryable if isinstance(error, AstegniError) else True
        most_equal, equal = _most_equal(error), 0
        if most_equal is not None:
            before = attempts_before(
                session, claimed.job_id, kind=claimed.kind, max_attempts=claimed.max_attempts, most=most_equal
            )
            equal = equal_failures(document, [earlier for _outcome, earlier in before])
        decision = after_failure(
            equal_before=equal,
            most_equal=most_equal,
            attempt=claimed.attempt,
            max_attempts=claimed.max_attempts,
            retryable=retryable,
            base=self.retry_base,
            jitter=0.5 + random.random(),
            retry_after=error.members.get("retry_after") if isinstance(error, AstegniError) else None,
        )
        gave_up = retryable and decision.state == "failed"
        return decision, final_words(document, equal + 1) if gave_up else document


def _most_equal(error: Exception) -> int | None:
    """After how many equal failures in a row the job is not retried; None: no limit, since the cause is external."""
    if isinstance(error, AstegniError):
        return error.equal_failures
    if isinstance(error, SoftTimeLimitExceeded):
        return 2
    # A bug of ours fails again on the same bytes; a system error may pass.
    return None if isinstance(error, (*AWAY, OSError, MemoryError)) else 3


@dataclass(frozen=True)
class _EndedRun:
    id: UUID
    run_token: UUID
    kind: str
    args: dict[str, Any]


def _order_of(claimed: Claim) -> Order:
    return read_order(claimed.kind, claimed.args)
