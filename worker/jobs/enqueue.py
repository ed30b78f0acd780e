"""Put an order into the ledger, inside the caller's transaction: it exists if and only if that commits."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from models.jobs import Job
from models.states import JOB_LIVE
from worker.database import announce_after_commit
from worker.errors import Unavailable
from worker.jobs.orders import Order

_UNIQUE_WHERE = text("unique_key IS NOT NULL AND state IN ({})".format(", ".join(f"'{state}'" for state in JOB_LIVE)))


def enqueue(session: Session, order: Order, *, principal: str = "system", run_at: datetime | None = None) -> UUID:
    """Queue `order` and return its job id; if a live job holds the same unique key, return that one's id.

    Nothing is sent before the caller's commit, and a rollback leaves no job.
    """
    values = {
        "kind": order.kind,
        "queue": order.queue,
        "principal": principal,
        "subject": order.subject,
        "args": order.args(),
        "priority": order.priority,
        "max_attempts": order.max_attempts,
        "time_limit": order.time_limit,
        "unique_key": order.unique_key,
        "run_at": run_at or func.now(),
    }
    statement = (
        insert(Job)
        .values(values)
        .on_conflict_do_nothing(index_elements=["unique_key"], index_where=_UNIQUE_WHERE)
        .returning(Job.id)
    )
    # The live job may end between our INSERT and our SELECT: then its key is free and the next round takes it.
    for _round in range(3):
        job_id = session.scalar(statement)
        if job_id is not None:
            announce_after_commit(session, job_id)
            return job_id
        live = session.scalar(select(Job.id).where(Job.unique_key == order.unique_key, Job.state.in_(JOB_LIVE)))
        if live is not None:
            return live
    raise Unavailable(f"The ledger could not take the order {order.kind}; try again.")
