"""Claim a job for one run, under a fencing token."""

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import text

from worker.database import Executor

# `run_at <= now()`: a duplicate message must not start a retry early. A row that is `running` is never claimed, however
# old its lease: only the reaper takes it back, so that the lost attempt is recorded first.
# `rule` is for jobs of a lane (worker/jobs/lanes.py).
CLAIM = """
    UPDATE jobs j
       SET state = 'running', attempt = attempt + 1, run_token = time_ordered_uuid(), worker = :worker,
           started_at = now(), publish_at = NULL, lease_until = now() + make_interval(secs => :lease), publications = 0,
           progress = 0, progress_note = NULL, progress_seq = progress_seq + 1
     WHERE id = :id AND state IN ('queued', 'published', 'retryable')
       AND attempt < max_attempts AND cancel_requested_at IS NULL AND run_at <= now() {rule}
    RETURNING id, run_token, kind, args, principal, attempt, max_attempts, lane, request_id, subject, traceparent,
              extract(epoch FROM now() - run_at)::float AS waited
"""
_CLAIM = text(CLAIM.format(rule=""))
_CLAIM_OUTSIDE_LANES = text(CLAIM.format(rule="AND lane IS NULL"))


@dataclass(frozen=True)
class Claim:
    """A claimed job and its fencing token."""

    job_id: UUID
    token: UUID
    kind: str
    args: dict[str, Any]
    principal: str
    attempt: int
    max_attempts: int
    lane: str | None
    request_id: str | None
    subject: str | None
    traceparent: str | None
    # Seconds since it was due.
    waited: float


def claim(session: Executor, job_id: UUID, *, worker: str, lease: float, lanes: bool = True) -> Claim | None:
    """Claim the job for `lease` seconds; None when it cannot be claimed (ended, claimed, cancelled, not yet due).

    Without `lanes` a job of a lane cannot be claimed either: use `claim_in_lane`.
    """
    statement = _CLAIM if lanes else _CLAIM_OUTSIDE_LANES
    row = session.execute(statement, {"id": job_id, "worker": worker, "lease": lease}).fetchone()
    return None if row is None else claim_of(row)


def claim_of(row: Any) -> Claim:
    """The claim from the row that its statement returned."""
    return Claim(
        row.id,
        row.run_token,
        row.kind,
        row.args,
        row.principal,
        row.attempt,
        row.max_attempts,
        row.lane,
        row.request_id,
        row.subject,
        row.traceparent,
        row.waited,
    )
