"""End a run that did not succeed and call its capability's hook, in one transaction."""

from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.database import Database
from worker.jobs.orders.order import UnreadableArguments
from worker.jobs.runs.failure_hooks import FailedJob, FailureHooks, run_failure_hook
from worker.jobs.runs.retry import Decision
from worker.jobs.runs.run_statements import LeaseLost, end
from worker.logs import get_logger

_log = get_logger(__name__)

_RUNS_OF = text("SELECT id, run_token FROM jobs WHERE worker = :worker AND state = 'running'")


def settle(
    session: Session,
    endings: FailureHooks,
    job: Any,
    decision: Decision,
    error: dict[str, Any] | None,
    *,
    outcome: str | None = None,
) -> None:
    """End the run of `job` (anything with id, run_token, kind and args) as `decision` says.

    A hook that cannot read the arguments is left out: the run is over, and the job can be retried by the release that
    can. Raises LeaseLost when the token is stale.
    """
    end(
        session,
        job.id,
        job.run_token,
        state=decision.state,
        outcome=outcome,
        delay=decision.delay,
        error=error,
    )
    if decision.state in {"failed", "dead", "cancelled"} and error is not None:
        try:
            run_failure_hook(session, endings, job.kind, job.args, FailedJob(job.id, decision.state, error))
        except UnreadableArguments:
            _log.warning("failure_hook_omitted", job_id=str(job.id), kind=job.kind, state=decision.state)


def release_runs(database: Database, worker: str) -> int:
    """Release every job that this worker process was still running when it shut down; no attempt is charged.

    Call it after the children have exited: one still alive would find its token stale.
    """
    with database.transaction() as session:
        runs = session.execute(_RUNS_OF, {"worker": worker}).all()
    for run in runs:
        _release(database, run.id, run.run_token)
    return len(runs)


def _release(database: Database, job_id: UUID, token: UUID) -> None:
    try:
        with database.transaction() as session:
            end(session, job_id, token, state="queued", outcome="released")
    except LeaseLost:
        _log.info("job_already_settled", job_id=str(job_id))
