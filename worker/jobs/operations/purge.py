"""Delete one job that has ended, with its attempts, before its retention expires."""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.states import JOB_FINISHED
from worker.errors import Conflict, NotFound
from worker.jobs.actions import record_action

_LOCK = text("SELECT id, kind, subject, state FROM jobs WHERE id = :id FOR UPDATE")
_DELETE = text("DELETE FROM jobs WHERE id = :id")


def purge_job(session: Session, job_id: UUID, *, by: str) -> None:
    """Delete the job, and record that `by` did so. Raises NotFound, and Conflict for a job that has not ended."""
    job = session.execute(_LOCK, {"id": job_id}).one_or_none()
    if job is None:
        raise NotFound(f"There is no job {job_id}.")
    if job.state not in JOB_FINISHED:
        raise Conflict(f"Job {job_id} is {job.state}; only a job that has ended can be purged. Cancel it first.")
    record_action(session, job, "purge", by=by)
    session.execute(_DELETE, {"id": job_id})
