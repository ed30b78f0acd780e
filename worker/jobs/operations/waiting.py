"""Why a job waits: no worker consumes its queue."""

from uuid import UUID

from sqlalchemy import text

from worker.database import Executor
from worker.jobs.heartbeats import ALIVE, MISSED

_UNCONSUMED = text(
    f"""
    SELECT queue FROM jobs j WHERE id = :id AND state IN ('queued', 'published', 'retryable') AND NOT EXISTS (
        SELECT 1 FROM heartbeats h
         WHERE h.part = 'consumer' AND h.queue = j.queue AND h.{ALIVE})
    """  # noqa: S608 - a constant of ours
)


def why_waiting(executor: Executor, job_id: UUID, *, interval: float) -> dict[str, str]:
    """A `progress_note` for the job's document when no worker consumes its queue, else nothing.

    `interval` is the heartbeat interval. Meant for a job that somebody looks at, not for lists and events.
    """
    rows = executor.execute(_UNCONSUMED, {"id": job_id, "alive": interval * MISSED}).fetchall()
    if not rows:
        return {}
    return {"progress_note": f"waiting: no worker consumes the queue {rows[0].queue}"}
