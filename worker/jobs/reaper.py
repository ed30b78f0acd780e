"""Take back published and running jobs whose lease has expired."""

import itertools
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session
from structlog.contextvars import bound_contextvars

from worker.database import Database
from worker.errors import problem
from worker.jobs.clock_set_back import run_jobs_of_the_future
from worker.jobs.orders.order import Order
from worker.jobs.orders.registered import order_type
from worker.jobs.runs.attempt_history import attempts_before
from worker.jobs.runs.cancel import CANCELLED, cancel_job
from worker.jobs.runs.failure_hooks import FailureHooks
from worker.jobs.runs.retry import after_lost_lease, final_error
from worker.jobs.runs.settle import settle
from worker.logs import get_logger
from worker.metrics.recorder import record_lease_loss

_log = get_logger(__name__)

_LOST = text(
    """
    SELECT id, kind, args, state, attempt, max_attempts, run_token, worker, error, request_id,
           cancel_requested_at IS NOT NULL AS cancel_requested
      FROM jobs WHERE state IN ('published', 'running') AND lease_until < now()
     ORDER BY lease_until LIMIT 1 FOR UPDATE SKIP LOCKED
    """
)
_UNPUBLISH = text("UPDATE jobs SET state = 'queued', lease_until = NULL, published_at = NULL WHERE id = :id")
# A job that cannot be settled now must not block the others.
_POSTPONE = text("UPDATE jobs SET lease_until = now() + interval '60 s' WHERE id = :id AND lease_until < now()")

WORKER_LOST = problem(
    "worker-lost",
    "The worker was lost",
    500,
    "The process that worked on this was killed or stopped answering.",
)


def reap(database: Database, failure_hooks: FailureHooks, *, most: int = 500) -> int:
    """Settle up to `most` jobs whose lease expired; return how many.

    One transaction per job: a failing hook blocks only its own job, and settled jobs stay settled. Jobs that would wait
    until a clock that was set back has caught up are put back first.
    """
    run_jobs_of_the_future(database, most=most)
    for settled in range(most):
        job = None
        try:
            with database.transaction() as session:
                job = session.execute(_LOST).one_or_none()
                if job is None:
                    return settled
                # Log lines, and the rows of jobs that hooks order, get the id of the request that ordered this job.
                with bound_contextvars(job_id=str(job.id), kind=job.kind, request_id=job.request_id):
                    _take_back(session, failure_hooks, job)
            if job.state == "running":
                record_lease_loss(job.kind)
        except Exception:
            # A hook may raise anything; an error before a job was read comes from the database.
            if job is None:
                raise
            _log.exception("job_not_settled", job_id=str(job.id), kind=job.kind, request_id=job.request_id)
            with database.transaction() as session:
                session.execute(_POSTPONE, {"id": job.id})
    return most


def _take_back(session: Session, failure_hooks: FailureHooks, job: Any) -> None:
    order = order_type(job.kind)
    most_lost = order.most_lost if order is not None else Order.most_lost
    before = attempts_before(session, job.id, kind=job.kind, max_attempts=job.max_attempts, most=most_lost)
    lost = sum(1 for _ in itertools.takewhile(lambda attempt: attempt[0] == "worker-lost", before))
    decision = after_lost_lease(
        lost_before=lost,
        most_lost=most_lost,
        state=job.state,
        attempt=job.attempt,
        max_attempts=job.max_attempts,
        cancel_requested=job.cancel_requested,
    )
    if decision.state == "queued":
        session.execute(_UNPUBLISH, {"id": job.id})
        _log.info("job_unpublished")
        return
    if job.state == "published":
        # Cancellation was requested during a run of an earlier release, which let the job wait for another attempt.
        cancel_job(session, failure_hooks, job.id)
        return
    error = CANCELLED if decision.state == "cancelled" else WORKER_LOST
    if decision.state == "dead" and job.error is not None and job.error.get("code") != WORKER_LOST["code"]:
        error = job.error  # an earlier error says more than that the worker was lost
    elif decision.state == "dead" and job.attempt < job.max_attempts:
        error = final_error(WORKER_LOST, lost + 1)
    settle(session, failure_hooks, job, decision, error, outcome="worker-lost")
    _log.warning("job_worker_lost", worker=job.worker, state=decision.state)
