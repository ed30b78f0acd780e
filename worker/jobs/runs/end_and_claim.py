"""End a run and claim the next job of the same message, in one round trip instead of two."""

from typing import Any
from uuid import UUID

from sqlalchemy import text

from worker.database import Executor
from worker.jobs.runs.claim import CLAIMABLE, CLAIMED, START, Claim, claim_of
from worker.jobs.runs.run_statements import END, end_values, lease_lost

# Nothing is claimed when the token of the ended run is stale. SKIP LOCKED: the end must not wait for a lock on another
# job, e.g. that of a cancel.
_TEMPLATE = """
    {end}, waiting AS MATERIALIZED (
        SELECT id FROM jobs WHERE id = :next_id AND lane IS NULL AND {claimable} FOR UPDATE SKIP LOCKED
    ), claimed AS (
        UPDATE jobs j SET {start} FROM waiting, history WHERE j.id = waiting.id RETURNING {claimed}
    )
    SELECT claimed.* FROM history LEFT JOIN claimed ON true
"""
_END_AND_CLAIM = text(_TEMPLATE.format(end=END, claimable=CLAIMABLE, start=START, claimed=CLAIMED))


def end_and_claim(
    session: Executor, run: Claim, next_id: UUID, *, worker: str, lease: float, result: dict[str, Any] | None = None
) -> Claim | None:
    """End the run as succeeded and claim the job `next_id` for `lease` seconds, both or neither.

    Returns None when the next job was not claimed: it has ended or is locked, or belongs to a lane. Raises LeaseLost.
    """
    values = end_values(run.job_id, run.token, "succeeded", result=result)
    row = session.execute(_END_AND_CLAIM, {**values, "next_id": next_id, "worker": worker, "lease": lease}).fetchone()
    if row is None:
        raise lease_lost(run.job_id)
    return None if row.id is None else claim_of(row)
