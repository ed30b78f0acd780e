"""Claim a job for one run, under a fencing token."""

import secrets
import time
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import TextClause, text

from worker.database import Executor

# `run_at <= now()`: a duplicate message must not start a retry early. A row that is `running` is never claimed, however
# old its lease: only the reaper takes it back, so that the lost attempt is recorded first. A job ordered while one with
# its unique key was being cancelled begins after the end of that one.
CANCELLING = "cancelling "
CLAIMABLE = f"""
    j.state IN ('queued', 'published', 'retryable') AND j.attempt < j.max_attempts AND j.cancel_requested_at IS NULL
    AND j.run_at <= now()
    AND NOT EXISTS (SELECT FROM jobs earlier
                     WHERE earlier.unique_key = '{CANCELLING}' || j.unique_key AND earlier.state = 'running')
"""
# An assignment list for the job `j`.
START = """
    state = 'running', attempt = j.attempt + 1, run_token = :new_token, worker = :worker, started_at = now(),
    publish_at = NULL, lease_until = now() + make_interval(secs => :lease), publications = 0, progress = 0,
    progress_note = NULL, progress_seq = j.progress_seq + 1
"""
CLAIMED = """
    j.id, j.run_token, j.kind, j.args, j.principal, j.attempt, j.max_attempts, j.lane, j.request_id, j.subject,
    j.traceparent, extract(epoch FROM now() - j.run_at)::float AS waited
"""
_CLAIM_JOB = "UPDATE jobs j SET {start} WHERE id = :id AND {claimable} {rule} RETURNING {claimed}"


def claim_statement(*, rule: str) -> TextClause:
    """The statement that claims the job `:id` subject to a further `rule`, like that of worker/jobs/runs/lanes.py."""
    return text(_CLAIM_JOB.format(start=START, claimable=CLAIMABLE, claimed=CLAIMED, rule=rule))


_CLAIM = claim_statement(rule="")
_CLAIM_OUTSIDE_LANES = claim_statement(rule="AND lane IS NULL")
# The lease begins again: the database may have been away for most of it.
_RECLAIM_JOB = """
    UPDATE jobs j SET lease_until = now() + make_interval(secs => :lease) WHERE id = :id AND run_token = :token
    RETURNING {claimed}
"""
_RECLAIM = text(_RECLAIM_JOB.format(claimed=CLAIMED))


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


def new_token() -> UUID:
    """A fencing token: a UUID version 7 (RFC 9562 §5.7), so that the index of earlier ones grows at its end."""
    milliseconds = round(time.time() * 1000)
    return UUID(int=milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62))


def claim(
    session: Executor, job_id: UUID, *, worker: str, lease: float, lanes: bool = True, token: UUID | None = None
) -> Claim | None:
    """Claim the job for `lease` seconds; None when it cannot be claimed (ended, claimed, cancelled, not yet due).

    Without `lanes`, jobs of a lane cannot be claimed either: use `claim_in_lane`. A caller that passes the `token` can
    find its claim again if the response was lost (`reclaim`).
    """
    statement = _CLAIM if lanes else _CLAIM_OUTSIDE_LANES
    values = {"id": job_id, "worker": worker, "lease": lease, "new_token": token or new_token()}
    row = session.execute(statement, values).fetchone()
    return None if row is None else claim_of(row)


def reclaim(session: Executor, job_id: UUID, token: UUID, *, lease: float) -> Claim | None:
    """Find the claim made under this token, whose response was lost; None if the claim was not made."""
    row = session.execute(_RECLAIM, {"id": job_id, "token": token, "lease": lease}).fetchone()
    return None if row is None else claim_of(row)


def claim_of(row: Any) -> Claim:
    """Build a Claim from a row that a claim statement returned."""
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
