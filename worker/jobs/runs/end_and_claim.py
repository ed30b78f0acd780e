"""End a run and claim the next job of the same message, in one round trip instead of two."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from worker.database import Executor
from worker.jobs.runs.claim import CLAIMABLE, CLAIMED, START, Claim, claim_of, reclaim
from worker.jobs.runs.run_statements import END, end_values, lease_lost

# Nothing is claimed when the token of the ended run is stale. SKIP LOCKED: the end must not wait for a lock on another
# job, e.g. that of a cancel.
_TEMPLATE = """
    {end}, waiting AS MATERIALIZED (
        SELECT id FROM jobs j WHERE id = :next_id AND lane IS NULL AND {claimable} FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE jobs j SET {start} FROM waiting, history WHERE j.id = waiting.id RETURNING {claimed}
    )
    SELECT claimed.* FROM history LEFT JOIN claimed ON true
"""
_END_AND_CLAIM = text(_TEMPLATE.format(end=END, claimable=CLAIMABLE, start=START, claimed=CLAIMED))
_SUCCEEDED = text("SELECT 1 FROM job_attempts WHERE run_token = :token AND outcome = 'succeeded'")


def end_and_claim(
    session: Executor,
    run: Claim,
    next_id: UUID,
    token: UUID,
    *,
    worker: str,
    lease: float,
    result: dict[str, Any] | None = None,
) -> Claim | None:
    """End the run as succeeded and claim the job `next_id` under `token` for `lease` seconds, both or neither.

    Returns None when the next job was not claimed: it has ended or is locked, or belongs to a lane. Raises LeaseLost.
    """
    values = end_values(run.job_id, run.token, "succeeded", result=result)
    values |= {"next_id": next_id, "new_token": token, "worker": worker, "lease": lease}
    row = session.execute(_END_AND_CLAIM, values).fetchone()
    if row is None:
        raise lease_lost(run.job_id)
    return None if row.id is None else claim_of(row)


def find_end_and_claim(
    session: Executor, run: Claim, next_id: UUID | None, token: UUID, *, lease: float
) -> Claim | None:
    """What `end_and_claim`, or an end without a claim, returned when its response was lost. Raises LeaseLost."""
    if session.execute(_SUCCEEDED, {"token": run.token}).fetchone() is None:
        raise lease_lost(run.job_id)
    return None if next_id is None else reclaim(session, next_id, token, lease=lease)
