"""Read jobs for the API: one, a list, the history of attempts."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Select, func, select, tuple_
from sqlalchemy.orm import Session

from models.jobs import Job, JobAttempt
from worker.errors import NotFound

# Read with every job's document; `principal` decides who may see the job and is not shown.
_COLUMNS = (
    Job.id,
    Job.kind,
    Job.subject,
    Job.state,
    Job.attempt,
    Job.progress,
    Job.progress_note,
    Job.error,
    Job.result,
    Job.created_at,
    Job.started_at,
    Job.finished_at,
    Job.principal,
    Job.progress_seq,
    Job.worker,
)
_UNSHOWN = frozenset({"principal", "progress_seq", "worker"})


@dataclass(frozen=True)
class JobView:
    """A job as the API shows it (`document`), who ordered it, and the sequence number of its latest change."""

    document: dict[str, Any]
    principal: str
    seq: int
    # The process that ran it last; shown to operators.
    worker: str | None

    def is_shown_to(self, principal: str | None) -> bool:
        """Whether `principal` ordered the job and may read and follow it. None: a caller who may read every job."""
        return principal in (None, self.principal)

    @property
    def position(self) -> tuple[datetime, UUID]:
        """The position of the job in `list_jobs`."""
        return datetime.fromisoformat(self.document["created_at"]), UUID(self.document["id"])

    @property
    def finished(self) -> bool:
        """Whether the job has ended: it does not change any more unless somebody retries it."""
        return self.document["finished_at"] is not None


def read_job(session: Session, job_id: UUID, *, principal: str | None = None) -> JobView:
    """Read one job; with `principal`, only if that principal may see it. Raises NotFound."""
    view = read_jobs(session, [job_id]).get(job_id)
    if view is None or not view.is_shown_to(principal):
        raise NotFound(f"There is no job {job_id}.")
    return view


def read_jobs(session: Session, job_ids: Collection[UUID]) -> dict[UUID, JobView]:
    """Read those of the jobs that still exist, in one query."""
    rows = session.execute(select(*_COLUMNS).where(Job.id.in_(job_ids)))
    return {row.id: _view(row) for row in rows}


def count_running_on(session: Session, process: str) -> int:
    """How many jobs are running on processes whose name starts with `process`."""
    running = select(func.count()).where(Job.state == "running", Job.worker.startswith(process, autoescape=True))
    return session.scalar(running) or 0


def running_of(session: Session, principal: str) -> list[UUID]:
    """The running jobs that this principal ordered, including those asked to stop."""
    return list(session.scalars(select(Job.id).where(Job.state == "running", Job.principal == principal)))


def list_jobs(
    session: Session,
    *,
    principal: str | None = None,
    state: str | None = None,
    kind: str | None = None,
    subject: str | None = None,
    routine: bool = True,
    before: tuple[datetime, UUID] | None = None,
    limit: int = 50,
) -> list[JobView]:
    """At most `limit` jobs, newest first; a filter of None matches all; without `routine` beat's jobs are left out.

    Keyset pagination by `before`, a job's position: a page stays correct while jobs are added and removed.
    """
    statement = _ordered_by(select(*_COLUMNS), principal)
    for column, value in ((Job.state, state), (Job.kind, kind), (Job.subject, subject)):
        if value is not None:
            statement = statement.where(column == value)
    if not routine:
        statement = statement.where(Job.principal != "beat")
    if before is not None:
        statement = statement.where(tuple_(Job.created_at, Job.id) < tuple_(*before))
    rows = session.execute(statement.order_by(Job.created_at.desc(), Job.id.desc()).limit(limit))
    return [_view(row) for row in rows]


def read_attempts(session: Session, job_id: UUID) -> list[dict[str, Any]]:
    """How each attempt of a job ended, oldest first."""
    columns = (JobAttempt.attempt, JobAttempt.outcome, JobAttempt.error, JobAttempt.started_at, JobAttempt.ended_at)
    rows = session.execute(select(*columns).where(JobAttempt.job_id == job_id).order_by(JobAttempt.id))
    return [{name: _plain(value) for name, value in row._asdict().items()} for row in rows]


def _ordered_by(statement: Select[Any], principal: str | None) -> Select[Any]:
    # JobView.is_shown_to as a condition, for lists.
    return statement if principal is None else statement.where(Job.principal == principal)


def _view(row: Row[Any]) -> JobView:
    document = {name: _plain(value) for name, value in row._asdict().items() if name not in _UNSHOWN}
    return JobView(document, row.principal, row.progress_seq, row.worker)


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, UUID) else value
