"""The record of who retried, cancelled or purged a job."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text
from sqlalchemy.orm import Session

from models.jobs import JobAction

_PRUNE = text(
    """
    WITH old AS (
        DELETE FROM job_actions WHERE id IN (
            SELECT id FROM job_actions WHERE at < now() - make_interval(secs => :age)
             ORDER BY at LIMIT :most FOR UPDATE SKIP LOCKED)
        RETURNING 1)
    SELECT count(*) FROM old
    """
)


def record_action(session: Session, job: Row[Any], action: str, *, by: str) -> None:
    """Record that `by` acts on `job` (its id, kind, subject and state), which the caller has locked."""
    session.add(JobAction(job_id=job.id, kind=job.kind, subject=job.subject, action=action, state=job.state, actor=by))


def read_actions(session: Session, job_id: UUID) -> list[dict[str, Any]]:
    """What people did to a job, oldest first: `action`, `actor`, the `state` before, and `at`."""
    columns = (JobAction.action, JobAction.actor, JobAction.state, JobAction.at)
    rows = session.execute(select(*columns).where(JobAction.job_id == job_id).order_by(JobAction.id))
    return [{**row._asdict(), "at": row.at.isoformat()} for row in rows]


def prune_actions(session: Session, *, age: float, most: int) -> int:
    """Delete at most `most` records older than `age` seconds; return how many."""
    pruned: int = session.scalars(_PRUNE, {"age": age, "most": most}).one()
    return pruned
