"""The SQL of one run: heartbeat, lock, end. Every write of a run carries its fencing token."""

import json
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.database import Executor
from worker.errors import AstegniError
from worker.jobs.runs.claim import Claim

# IS TRUE makes the planner find the row by its primary key. Otherwise it takes the index of states, which before a
# VACUUM has thousands of dead entries of jobs that were running.
_LOCK = text("SELECT 1 FROM jobs WHERE id = :id AND run_token = :token AND (state = 'running') IS TRUE FOR UPDATE")

_HEARTBEAT = text(
    """
    UPDATE jobs
       SET lease_until = now() + make_interval(secs => :lease),
           progress = :progress, progress_note = CAST(:note AS varchar),
           progress_seq = progress_seq
             + (progress <> :progress OR progress_note IS DISTINCT FROM CAST(:note AS varchar))::int
     WHERE id = :id AND run_token = :token AND (state = 'running') IS TRUE
    RETURNING cancel_requested_at IS NOT NULL AS cancel_requested
    """
)

# One statement, so that the end of a run and its history entry are atomic. `released` gives the attempt back; `dead`
# keeps the last real error when the new one only says that the worker was lost.
END = """
    WITH run AS MATERIALIZED (
        SELECT id, attempt, run_token, coalesce(worker, '?') AS worker, started_at,
               cancel_requested_at IS NOT NULL AS cancel_requested FROM jobs
         WHERE id = :id AND run_token = :token AND (state = 'running') IS TRUE FOR UPDATE
    ), ended AS (
        UPDATE jobs j
           SET state = CAST(:state AS varchar), run_token = NULL, lease_until = NULL,
               attempt = CASE WHEN :outcome = 'released' THEN j.attempt - 1 ELSE j.attempt END,
               run_at = CASE WHEN :state = 'retryable' THEN now() + make_interval(secs => :delay)
                             WHEN :state = 'queued' THEN now()
                             ELSE j.run_at END,
               progress = CASE WHEN :state = 'succeeded' THEN 100 ELSE j.progress END,
               progress_seq = j.progress_seq + 1,
               result = CAST(:result AS jsonb),
               error = CASE WHEN :state = 'succeeded' THEN NULL
                            WHEN :outcome = 'worker-lost' AND j.error->>'code' <> 'worker-lost' THEN j.error
                            ELSE coalesce(CAST(:error AS jsonb), j.error) END,
               finished_at = CASE WHEN :state IN ('succeeded', 'failed', 'cancelled', 'dead')
                                  THEN now() END
          FROM run WHERE j.id = run.id
    ), history AS (
        INSERT INTO job_attempts (job_id, attempt, run_token, worker, started_at, outcome, error)
        SELECT id, attempt, run_token, worker, started_at, CAST(:outcome AS varchar), CAST(:error AS jsonb) FROM run
        RETURNING job_id
    )
"""
_END_ONLY = "{end} SELECT cancel_requested FROM run"
_END = text(_END_ONLY.format(end=END))

_RUNNING = text("SELECT id FROM jobs WHERE state = 'running'")


class LeaseLost(AstegniError):
    """The run no longer owns its job: all further writes are rejected."""

    code, title, status = "lease-lost", "Lease lost", 409


def lock(session: Executor, run: Claim) -> None:
    """Lock the job's row until the transaction ends. Raises LeaseLost.

    Every transaction that touches a job and its subject locks the job first: two different lock orders would deadlock.
    """
    if session.execute(_LOCK, {"id": run.job_id, "token": run.token}).fetchone() is None:
        raise lease_lost(run.job_id)


def heartbeat(session: Executor, run: Claim, *, lease: float, progress: int, note: str | None) -> bool:
    """Renew the lease and write progress; True when cancellation was requested. Raises LeaseLost."""
    values = {"id": run.job_id, "token": run.token, "lease": lease, "progress": progress, "note": note}
    row = session.execute(_HEARTBEAT, values).fetchone()
    if row is None:
        raise lease_lost(run.job_id)
    return bool(row.cancel_requested)


def running_jobs(session: Session) -> set[UUID]:
    """The ids of the jobs that are running on any worker."""
    return set(session.scalars(_RUNNING))


def end(
    session: Executor,
    job_id: UUID,
    token: UUID,
    *,
    state: str,
    outcome: str | None = None,
    delay: float = 0.0,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> bool:
    """End the run that owns `token`: the job goes to `state`, the attempt's `outcome` is appended to history.

    Returns whether cancellation of the job was requested: then it must not wait for another attempt, which could not be
    claimed. Raises LeaseLost when the token is stale; the caller's transaction must then roll back.
    """
    values = end_values(job_id, token, state, outcome=outcome, delay=delay, result=result, error=error)
    row = session.execute(_END, values).fetchone()
    if row is None:
        raise lease_lost(job_id)
    return bool(row.cancel_requested)


def end_values(
    job_id: UUID,
    token: UUID,
    state: str,
    *,
    outcome: str | None = None,
    delay: float = 0.0,
    result: dict[str, Any] | None = None,
    error: dict[str, Any] | None = None,
) -> dict[str, Any]:
    """The parameters of the statement END."""
    return {
        "id": job_id,
        "token": token,
        "state": state,
        "outcome": outcome or state,
        "delay": delay,
        "result": None if result is None else json.dumps(result),
        "error": None if error is None else json.dumps(error),
    }


def lease_lost(job_id: UUID) -> LeaseLost:
    """The error of a write whose token is stale."""
    return LeaseLost(f"Job {job_id} is no longer this run's.")
