"""Select the jobs that an operator means by state, kind, subject and age, in batches."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import func, or_, select, tuple_
from sqlalchemy.orm import Session

from models.jobs import Job
from worker.errors import NotFound

_COLUMNS = (Job.id, Job.kind, Job.subject, Job.state, Job.created_at)


@dataclass(frozen=True)
class JobFilter:
    """A filter of jobs, all parts of which must match; None matches all.

    Age counts from a job's end, or from its creation if it has not ended.
    """

    state: str | None = None
    kind: str | None = None
    subject: str | None = None
    older_than: timedelta | None = None
    # Who ordered it.
    principal: str | None = None

    @property
    def is_empty(self) -> bool:
        """Whether every job matches."""
        return self == JobFilter()


@dataclass(frozen=True)
class SelectedJob:
    """A matching job, as it was when it was read."""

    id: UUID
    kind: str
    subject: str | None
    state: str
    created_at: datetime

    @property
    def position(self) -> tuple[datetime, UUID]:
        """Where the next batch of `select_jobs` continues."""
        return self.created_at, self.id


def select_job(session: Session, job_id: UUID) -> SelectedJob:
    """One job. Raises NotFound."""
    row = session.execute(select(*_COLUMNS).where(Job.id == job_id)).one_or_none()
    if row is None:
        raise NotFound(f"There is no job {job_id}.")
    return SelectedJob(*row)


def select_jobs(
    session: Session,
    wanted: JobFilter,
    states: Collection[str],
    *,
    after: tuple[datetime, UUID] | None,
    most: int,
) -> list[SelectedJob]:
    """At most `most` matching jobs in one of `states`, oldest first, after the position `after`.

    Running jobs whose cancellation was already requested are left out.
    """
    asked = or_(Job.state != "running", Job.cancel_requested_at.is_(None))
    statement = select(*_COLUMNS).where(Job.state.in_(states), asked)
    exact = (
        (Job.state, wanted.state),
        (Job.kind, wanted.kind),
        (Job.subject, wanted.subject),
        (Job.principal, wanted.principal),
    )
    for column, value in exact:
        if value is not None:
            statement = statement.where(column == value)
    if wanted.older_than is not None:
        statement = statement.where(func.coalesce(Job.finished_at, Job.created_at) < func.now() - wanted.older_than)
    if after is not None:
        statement = statement.where(tuple_(Job.created_at, Job.id) > tuple_(*after))
    rows = session.execute(statement.order_by(Job.created_at, Job.id).limit(most))
    return [SelectedJob(*row) for row in rows]
