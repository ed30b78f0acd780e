"""The queries of `astegni jobs`: one short transaction each, directly in PostgreSQL."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from sqlalchemy.orm import Session

from models.states import JOB_STATES
from worker.cli.target import settings_of_stack
from worker.database import Database
from worker.errors import InvalidInput, NotFound
from worker.jobs.actions import read_actions
from worker.jobs.operations.kinds import check_kind
from worker.jobs.operations.reading import list_jobs, read_attempts, read_jobs
from worker.jobs.operations.selection import JobFilter
from worker.jobs.operations.waiting import why_waiting
from worker.workflows.operations.act_on_jobs import JobActionResult, act_on_job, act_on_jobs


def find_jobs(
    *, state: str | None, kind: str | None, subject: str | None, routine: bool, limit: int
) -> list[dict[str, Any]]:
    """The newest jobs that match, as the API shows them, plus `worker`. Raises InvalidInput: no such state or kind."""
    if state is not None and state not in JOB_STATES:
        raise InvalidInput(f"There is no state {state}. The states are {', '.join(JOB_STATES)}.")
    with _ledger() as session:
        if kind is not None:
            check_kind(session, kind)
        jobs = list_jobs(session, state=state, kind=kind, subject=subject, routine=routine, limit=limit)
        return [{**job.document, "worker": job.worker} for job in jobs]


def find_job(job_id: UUID) -> dict[str, Any]:
    """A job with its attempts and actions; of a purged job, the actions alone. Raises NotFound."""
    with _ledger() as session:
        actions = read_actions(session, job_id)
        job = read_jobs(session, [job_id]).get(job_id)
        if job is None and not actions:
            raise NotFound(f"There is no job {job_id}.")
        known = {"id": str(job_id), "state": "purged"} if job is None else job.document
        known |= why_waiting(session, job_id, interval=settings_of_stack().heartbeat_interval)
        return {**known, "attempts": read_attempts(session, job_id), "actions": actions}


def act(
    action: str, *, job_id: UUID | None, wanted: JobFilter, by: str, limit: int, dry_run: bool
) -> Iterator[JobActionResult]:
    """Apply the action to one job or all that match; yields each result as it comes. Raises NotFound, InvalidInput."""
    database = _database()
    try:
        if job_id is not None:
            yield act_on_job(database, action, job_id, by=by, dry_run=dry_run)
        else:
            yield from act_on_jobs(database, action, wanted, by=by, limit=limit, dry_run=dry_run)
    finally:
        database.close()


@contextmanager
def _ledger() -> Iterator[Session]:
    database = _database()
    try:
        with database.transaction() as session:
            yield session
    finally:
        database.close()


def _database() -> Database:
    return Database(settings_of_stack().sqlalchemy_url, pool_size=1, max_overflow=0)
