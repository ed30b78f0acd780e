"""End a run that did not succeed and call its capability's hook, in one transaction."""

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.database import Database
from worker.jobs.orders.order import UnreadableArguments
from worker.jobs.runs.cancel import CANCELLED, cancel_waiting
from worker.jobs.runs.failure_hooks import FailedJob, FailureHooks, run_failure_hook
from worker.jobs.runs.retry import Decision
from worker.jobs.runs.run_statements import LeaseLost, end
from worker.logs import get_logger

_log = get_logger(__name__)

_RUNS_OF = text("SELECT id, run_token, kind, args FROM jobs WHERE worker = :worker AND state = 'running'")


def settle(
    session: Session,
    failure_hooks: FailureHooks,
    job: Any,
    decision: Decision,
    error: dict[str, Any] | None,
    *,
    outcome: str | None = None,
) -> str:
    """End the run of `job` (anything with id, run_token, kind and args) as `decision` says; return the job's state.

    A job whose cancellation was requested meanwhile is cancelled instead of waiting for another attempt. A hook that
    cannot read the arguments is left out: the run is over, and the job can be retried by the release that can. Raises
    LeaseLost when the token is stale.
    """
    state = decision.state
    cancel_requested = end(
        session,
        job.id,
        job.run_token,
        state=state,
        outcome=outcome,
        delay=decision.delay,
        error=error,
    )
    if cancel_requested and state in {"queued", "retryable"}:
        cancel_waiting(session, job.id)
        state, error = "cancelled", CANCELLED
    if state in {"failed", "dead", "cancelled"} and error is not None:
        try:
            run_failure_hook(session, failure_hooks, job.kind, job.args, FailedJob(job.id, state, error))
        except UnreadableArguments:
            _log.warning("failure_hook_omitted", job_id=str(job.id), kind=job.kind, state=state)
    return state


def release_runs(database: Database, failure_hooks: FailureHooks, worker: str) -> int:
    """Release every job that this worker process was still running when it shut down; no attempt is charged.

    Call it after the children have exited: one still alive would find its token stale.
    """
    with database.transaction() as session:
        runs = session.execute(_RUNS_OF, {"worker": worker}).all()
    for run in runs:
        _release(database, failure_hooks, run)
    return len(runs)


def _release(database: Database, failure_hooks: FailureHooks, run: Any) -> None:
    try:
        with database.transaction() as session:
            settle(session, failure_hooks, run, Decision("queued"), None, outcome="released")
    except LeaseLost:
        _log.info("job_already_settled", job_id=str(run.id))
