"""Cancel a job, or retry a finished one, as users and operators request."""

import json
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from worker.after_commit import announce_after_commit
from worker.errors import Conflict, NotFound, problem
from worker.jobs.actions import record_action
from worker.jobs.orders.registered import order_type
from worker.jobs.runs.claim import CANCELLING
from worker.jobs.runs.failure_hooks import FailedJob, FailureHooks, run_failure_hook

CANCELLED = problem("cancelled", "Cancelled", 409, "The job was cancelled before it was done.")

_LOCK = text("SELECT id, kind, subject, args, state, cancel_requested_at FROM jobs WHERE id = :id FOR UPDATE")
_CANCEL_WAITING = text(
    """
    UPDATE jobs SET state = 'cancelled', cancel_requested_at = now(), finished_at = now(), lease_until = NULL,
           error = CAST(:error AS jsonb), progress_seq = progress_seq + 1
     WHERE id = :id
    """
)
# Its key becomes free for the next order, which this job cannot do any more. By its new key that one waits for its end
# (CLAIMABLE).
_ASK_RUNNING = text(
    f"""
    UPDATE jobs SET cancel_requested_at = now(), unique_key = '{CANCELLING}' || unique_key,
           progress_seq = progress_seq + 1
     WHERE id = :id
    """  # noqa: S608 - a constant of our own
)
# Attempt numbers continue, so that the history stays in order; the job gets its original number of attempts again.
_REVIVE = text(
    f"""
    UPDATE jobs SET state = 'queued', run_at = now(), publish_at = NULL, max_attempts = attempt + :attempts,
           finished_at = NULL, cancel_requested_at = NULL, error = NULL, result = NULL, publications = 0, progress = 0,
           progress_note = NULL, progress_seq = progress_seq + 1,
           unique_key = regexp_replace(unique_key, '^{CANCELLING}', '')
     WHERE id = :id
    """  # noqa: S608 - a constant of our own
)


def cancel_job(session: Session, failure_hooks: FailureHooks, job_id: UUID, *, by: str = "system") -> str:
    """Cancel a waiting job at once, or request that a running one stop at its next heartbeat; return its state.

    An order with the unique key of a job that was requested to stop gets a job of its own, which begins after it. `by`
    is recorded, once for a running job. Raises NotFound, Conflict for a job that has ended, and UnreadableArguments for
    one whose hook cannot read its arguments.
    """
    job = session.execute(_LOCK, {"id": job_id}).one_or_none()
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    if job.state == "running":
        if job.cancel_requested_at is None:
            session.execute(_ASK_RUNNING, {"id": job_id})
            record_action(session, job, "cancel", by=by)
        return "running"
    if job.state not in {"queued", "published", "retryable"}:
        raise Conflict(f"Job {job_id} is {job.state}; only a job that is not over can be cancelled.")
    cancel_waiting(session, job_id)
    record_action(session, job, "cancel", by=by)
    run_failure_hook(session, failure_hooks, job.kind, job.args, FailedJob(job_id, "cancelled", CANCELLED))
    return "cancelled"


def cancel_waiting(session: Session, job_id: UUID) -> None:
    """Cancel a job that the caller has locked and that does not run. The caller runs its hook."""
    session.execute(_CANCEL_WAITING, {"id": job_id, "error": json.dumps(CANCELLED)})


def retry_job(session: Session, job_id: UUID, *, by: str = "system") -> None:
    """Queue an unsuccessful job again, with a fresh set of attempts; `by` is recorded.

    Raises NotFound, Conflict for a job that is live or succeeded, or when another live job has its unique key.
    """
    job = session.execute(_LOCK, {"id": job_id}).one_or_none()
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    if job.state not in {"failed", "dead", "cancelled"}:
        raise Conflict(f"Job {job_id} is {job.state}; only a failed, dead or cancelled job can be tried again.")
    order = order_type(job.kind)
    if order is None:
        raise Conflict(f"Job {job_id} is a {job.kind}, which this release does not do any more.")
    try:
        with session.begin_nested():
            session.execute(_REVIVE, {"id": job_id, "attempts": order.max_attempts})
    except IntegrityError as error:
        raise Conflict(f"Another job does the same as {job_id} right now; wait for that one.") from error
    record_action(session, job, "retry", by=by)
    announce_after_commit(session, job_id)
