"""Record a failed run in the ledger: the job's next state, and the error that it keeps."""

import random
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from celery.exceptions import SoftTimeLimitExceeded
from sqlalchemy.orm import Session

from worker.database import DATABASE_UNAVAILABLE, Database
from worker.errors import AstegniError
from worker.jobs.runs.attempt_history import attempts_before
from worker.jobs.runs.claim import Claim
from worker.jobs.runs.error_document import describe
from worker.jobs.runs.failure_hooks import FailureHooks
from worker.jobs.runs.job_run import JobCancelled, JobRun
from worker.jobs.runs.retry import Decision, after_failure, equal_failures, final_error
from worker.jobs.runs.run_statements import LeaseLost
from worker.jobs.runs.settle import settle
from worker.jobs.runs.wait_for_database import retry_while_database_down
from worker.logs import get_logger
from worker.tracing.crashes import report_crash

_log = get_logger(__name__)


def settle_failure(
    database: Database, failure_hooks: FailureHooks, run: JobRun, error: Exception, *, retry_base: float
) -> str:
    """End the run that failed with `error`; returns the job's state, or `lost` when the run no longer owned the job."""
    claimed = run.claim
    if run.cancelled:
        # After a request to stop, any failure is a consequence of it: a killed ffmpeg, an interrupted upload.
        error = JobCancelled("The job was cancelled before it was done.")
    error = _time_limit_of(error) or error
    document = describe(error)
    ended = _EndedRun(claimed.job_id, claimed.token, claimed.kind, claimed.args)

    def write() -> str:
        with database.transaction() as session:
            decision, final = _decide(session, claimed, error, document, retry_base)
            return settle(session, failure_hooks, ended, decision, final)

    state = "lost"
    try:
        state = retry_while_database_down(write, seconds=run.lease.seconds_left)
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


def _time_limit_of(error: Exception) -> SoftTimeLimitExceeded | None:
    """The time limit whose handling raised `error`, such as a rollback on a connection that still runs a statement."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, SoftTimeLimitExceeded):
        cause = cause.__cause__ or cause.__context__
    return cause


def _decide(
    session: Session, claimed: Claim, error: Exception, document: dict[str, Any], retry_base: float
) -> tuple[Decision, dict[str, Any]]:
    """The next state of the job, and the error to store."""
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
        base=retry_base,
        jitter=0.5 + random.random(),
        retry_after=error.members.get("retry_after") if isinstance(error, AstegniError) else None,
    )
    gave_up = retryable and decision.state == "failed"
    return decision, final_error(document, equal + 1) if gave_up else document


def _most_equal(error: Exception) -> int | None:
    """After how many equal failures in a row the job is not retried; None: no limit, since the cause is external."""
    if isinstance(error, AstegniError):
        return error.equal_failures
    if isinstance(error, SoftTimeLimitExceeded):
        return 2
    # A bug of ours fails again on the same bytes; a system error may be temporary.
    return None if isinstance(error, (*DATABASE_UNAVAILABLE, OSError, MemoryError)) else 3


@dataclass(frozen=True)
class _EndedRun:
    id: UUID
    run_token: UUID
    kind: str
    args: dict[str, Any]
