"""What the ledger stores about an error."""

from typing import Any

from celery.exceptions import SoftTimeLimitExceeded

from worker.database import DATABASE_UNAVAILABLE
from worker.errors import AstegniError, Unavailable, problem
from worker.jobs.runs.cancel import CANCELLED
from worker.jobs.runs.job_run import JobCancelled


def describe(error: Exception) -> dict[str, Any]:
    """The problem document stored with the job. An unexpected error gives its type only: its text may be secret."""
    if isinstance(error, JobCancelled):
        return CANCELLED
    if isinstance(error, AstegniError):
        return error.problem()
    if isinstance(error, DATABASE_UNAVAILABLE):
        return Unavailable("The database was away, or too busy, when the job needed it.").problem()
    if isinstance(error, SoftTimeLimitExceeded):
        return problem("time-limit", "It took too long", 500, "The attempt was stopped at its time limit.")
    return problem(
        "internal",
        "Internal error",
        500,
        f"An unexpected {type(error).__name__}; the worker's log tells more.",
    )
