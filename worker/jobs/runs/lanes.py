"""Lanes: no kind of work occupies all of a worker's children, and people take turns within a lane.

The jobs of a lane take at most half of a worker's children. One more may still start when it is much smaller than every
running job of its lane: a short lesson does not wait for long ones. The rule is enforced twice. Publishing selects jobs
by what is running, so that the broker, which keeps an order of its own, holds few messages. Claiming checks again, one
child of a worker at a time, since two publishers may select at the same moment.
"""

from uuid import UUID

from sqlalchemy import text
from sqlalchemy.orm import Session

from worker.jobs.heartbeats import ALIVE
from worker.jobs.runs.claim import Claim, claim_of, claim_statement

# A job that is this many times smaller than every running job of its lane does not wait for them.
SMALLER = 4

# The waiting jobs that may be published: of each lane as many as the queue's live workers may run, plus the smallest if
# it need not wait. A person's turn is the number of their jobs that run or wait ahead; of equal turns, the person whose
# latest run began longest ago comes first.
ADMITTED = f"""
    WITH room AS (
        SELECT queue, sum(greatest(children / 2, 1)) AS most FROM heartbeats
         WHERE part = 'consumer' AND {ALIVE} GROUP BY queue
    ), taken AS (
        SELECT queue, lane, principal, count(*) AS number, min(weight) AS lightest FROM jobs
         WHERE lane IS NOT NULL AND state IN ('published', 'running') GROUP BY queue, lane, principal
    ), full_lanes AS (
        SELECT queue, lane, sum(number) AS number, min(lightest) AS lightest FROM taken GROUP BY queue, lane
    ), turns AS (
        SELECT w.id, w.queue, w.lane, w.principal, w.weight, w.priority, w.run_at,
               row_number() OVER (PARTITION BY w.queue, w.lane, w.principal ORDER BY w.priority, w.run_at, w.id)
               + coalesce(t.number, 0) AS turn
          FROM jobs w LEFT JOIN taken t USING (queue, lane, principal)
         WHERE w.lane IS NOT NULL AND (w.state IN ('queued', 'retryable')) IS TRUE AND w.run_at <= now()
           AND (w.publish_at IS NULL OR w.publish_at <= now())
    ), people AS (
        SELECT lane, principal,
               (SELECT max(started_at) FROM jobs s WHERE s.lane = p.lane AND s.principal = p.principal) AS served
          FROM (SELECT DISTINCT lane, principal FROM turns) AS p
    ), ranked AS (
        SELECT id, queue, lane, weight,
               row_number() OVER (PARTITION BY queue, lane
                                  ORDER BY turn, served NULLS FIRST, priority, run_at, id) AS place,
               row_number() OVER (PARTITION BY queue, lane ORDER BY weight = 0, weight, turn, run_at, id) AS smallest
          FROM turns JOIN people USING (lane, principal)
    )
    SELECT r.id FROM ranked r LEFT JOIN full_lanes USING (queue, lane) LEFT JOIN room USING (queue)
     WHERE r.place <= coalesce(room.most, 1) - coalesce(full_lanes.number, 0)
        OR (r.smallest = 1 AND r.weight > 0 AND r.weight * :smaller <= full_lanes.lightest)
"""  # noqa: S608 - a constant of ours

# Until the transaction ends no other child of this worker claims in a lane: each must see what the others run.
_LOCK = text("SELECT pg_advisory_xact_lock(hashtextextended('lanes ' || :worker, 0))")
_CLAIM_IN_LANE = claim_statement(
    rule="""
        AND (SELECT count(*) < :half OR (j.weight > 0 AND j.weight * :smaller <= min(r.weight)) FROM jobs r
              WHERE r.state = 'running' AND r.worker = :worker AND r.lane = j.lane)
    """
)
# No attempt is charged. The pause leaves room for other work, and lets other workers take the job.
_GIVE_BACK = text(
    """
    UPDATE jobs SET state = 'queued', publish_at = now() + interval '1 s', lease_until = NULL, published_at = NULL,
           publications = greatest(publications - 1, 0)
     WHERE id = :id AND lane IS NOT NULL AND state = 'published' AND run_at <= now() AND cancel_requested_at IS NULL
    RETURNING lane
    """
)


def claim_in_lane(
    session: Session, job_id: UUID, *, worker: str, lease: float, children: int, token: UUID
) -> Claim | str | None:
    """Claim a job of a lane for `lease` seconds.

    Returns the name of the lane when it is full on this worker: the job goes back to wait until it is published again.
    Returns None when the job cannot be claimed.
    """
    session.execute(_LOCK, {"worker": worker})
    values = {"id": job_id, "worker": worker, "lease": lease, "new_token": token}
    row = session.execute(_CLAIM_IN_LANE, {**values, "half": max(1, children // 2), "smaller": SMALLER}).fetchone()
    if row is not None:
        return claim_of(row)
    given_back = session.execute(_GIVE_BACK, {"id": job_id}).fetchone()
    return None if given_back is None else str(given_back.lane)
