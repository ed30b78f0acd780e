"""The jobs about a subject: unfinished ones, and the newest of each kind."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from models.jobs import Job
from models.states import JOB_LIVE


def live_jobs(session: Session, subjects: Collection[str]) -> dict[UUID, str]:
    """Ids and kinds of the unfinished jobs of these subjects."""
    statement = select(Job.id, Job.kind).where(Job.subject.in_(subjects), Job.state.in_(JOB_LIVE))
    return {row.id: row.kind for row in session.execute(statement)}


def live_subjects(session: Session, subjects: Collection[str], kind: str) -> set[str]:
    """Those of these subjects that have an unfinished job of this kind."""
    statement = select(Job.subject).where(Job.subject.in_(subjects), Job.kind == kind, Job.state.in_(JOB_LIVE))
    return {subject for subject in session.scalars(statement) if subject is not None}


@dataclass(frozen=True)
class NewestJob:
    """The latest job of a kind about a subject."""

    id: UUID
    kind: str
    state: str


def newest_jobs(session: Session, subject: str) -> list[NewestJob]:
    """The latest job of each kind about `subject`."""
    statement = select(Job.id, Job.kind, Job.state).where(Job.subject == subject).ext(distinct_on(Job.kind))
    return [NewestJob(*row) for row in session.execute(statement.order_by(Job.kind, Job.created_at.desc()))]
