"""The queries of `astegni jobs`: one short transaction each, directly in PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from models.states import JOB_STATES
from worker.cli.target import settings_of_stack
from worker.database import Database
from worker.errors import InvalidInput
from worker.jobs.cancel import cancel_job, retry_job
from worker.jobs.reading import list_jobs, read_attempts, read_job
from worker.workflows.failure_hooks import ENDINGS


def find_jobs(
    *, state: str | None, kind: str | None, subject: str | None, routine: bool, limit: int
) -> list[dict[str, Any]]:
    """The newest jobs that match, as the API shows them, plus `worker`. Raises InvalidInput for an unknown state."""
    if state is not None and state not in JOB_STATES:
        raise InvalidInput(f"There is no state {state}. The states are {', '.join(JOB_STATES)}.")
    with _ledger() as session:
        jobs = list_jobs(session, state=state, kind=kind, subject=subject, routine=routine, limit=limit)
        return [{**job.document, "worker": job.worker} for job in jobs]


def find_job(job_id: UUID) -> dict[str, Any]:
    """A job with its attempts. Raises NotFound."""
    with _ledger() as session:
        return {**read_job(session, job_id).document, "attempts": read_attempts(session, job_id)}


def cancel(job_id: UUID) -> str:
    """Cancel a job; returns its new state. Raises NotFound, Conflict."""
    with _ledger() as session:
        return cancel_job(session, ENDINGS, job_id)


def retry(job_id: UUID) -> None:
    """Queue a job again. Raises NotFound, Conflict."""
    with _ledger() as session:
        retry_job(session, job_id)


@contextmanager
def _ledger() -> Iterator[Session]:
    database = Database(settings_of_stack().sqlalchemy_url, pool_size=1, max_overflow=0)
    try:
        with database.transaction() as session:
            yield session
    finally:
        database.close()
