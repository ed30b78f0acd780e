"""Write an order into the ledger, inside the caller's transaction: the job exists if and only if that commits."""

import json
from datetime import datetime
from uuid import UUID

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.jobs import Job
from models.states import JOB_LIVE
from worker.after_commit import announce_after_commit
from worker.database import execute_in
from worker.errors import Unavailable
from worker.jobs.orders.order import Order
from worker.logs import bound_request_id
from worker.tracing.spans import current_traceparent

# Plain SQL, like the ledger's other statements: building it with SQLAlchemy for each order cost more than executing it.
_INSERT = text(
    """
    INSERT INTO jobs (kind, queue, principal, subject, args, priority, max_attempts, time_limit, unique_key, run_at,
                      lane, weight, request_id, traceparent)
    VALUES (:kind, :queue, :principal, :subject, CAST(:args AS jsonb), :priority, :max_attempts, :time_limit,
            :unique_key, coalesce(:run_at, now()), :lane, :weight, :request_id, :traceparent)
    ON CONFLICT (unique_key) WHERE unique_key IS NOT NULL AND state IN ('queued', 'published', 'running', 'retryable')
    DO NOTHING
    RETURNING id
    """
)


def enqueue(
    session: Session,
    order: Order,
    *,
    principal: str = "system",
    run_at: datetime | None = None,
    lock: bool = False,
) -> UUID:
    """Queue `order` and return its job id; if a live job has the same unique key, return the id of that one.

    Nothing is sent before the caller's commit, and a rollback leaves no job. With `lock` the live job cannot end before
    the caller's transaction does.
    """
    values = {
        "kind": order.kind,
        "queue": order.queue,
        "principal": principal,
        "subject": order.subject,
        "args": json.dumps(order.args()),
        "priority": order.priority,
        "max_attempts": order.max_attempts,
        "time_limit": order.time_limit,
        "unique_key": order.unique_key,
        "run_at": run_at,
        "lane": order.lane,
        "weight": order.weight,
        "request_id": bound_request_id(),
        "traceparent": current_traceparent(),
    }
    # The live job may end between our INSERT and our SELECT; its key is then free, and the next round inserts.
    for _round in range(3):
        row = execute_in(session, _INSERT, values).fetchone()
        if row is not None:
            job_id: UUID = row.id
            announce_after_commit(session, job_id)
            return job_id
        query = select(Job.id).where(Job.unique_key == order.unique_key, Job.state.in_(JOB_LIVE))
        live = session.scalar(query.with_for_update() if lock else query)
        if live is not None:
            return live
    raise Unavailable(f"The ledger could not take the order {order.kind}; try again.")
