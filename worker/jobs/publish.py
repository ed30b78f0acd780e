"""Publish due jobs: mark them `published` in the ledger, commit, then send their ids to the broker.

The mark comes first: a crash between the two delays the job by one lease but never loses it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from uuid import UUID

from sqlalchemy import TextClause, bindparam, text
from sqlalchemy.orm import Session
from sqlalchemy.types import ARRAY, Uuid

from worker.database import Database
from worker.jobs.heartbeats import ALIVE
from worker.jobs.job_message import JobMessage, messages_of
from worker.jobs.runs.lanes import ADMITTED, SMALLER

# MATERIALIZED: otherwise the planner may run the LIMIT subquery more than once. IS TRUE, as in the condition of
# ix_jobs_waiting: only that index then matches, and it is read in its order. Without it the planner combines bitmaps of
# all indexes of live jobs, whose dead entries only VACUUM removes.
_MARK = """
    WITH due AS MATERIALIZED (
        SELECT id, queue FROM jobs WHERE (state IN ('queued', 'retryable')) IS TRUE AND run_at <= now()
           AND (publish_at IS NULL OR publish_at <= now()) AND (lane IS NULL OR id IN ({admitted})) {only}
         ORDER BY priority, run_at, id LIMIT {most} FOR UPDATE SKIP LOCKED
    ), consumers AS (
        SELECT queue, sum(children) AS children FROM heartbeats
         WHERE part = 'consumer' AND {living} GROUP BY queue
    )
    UPDATE jobs j
       SET state = 'published', published_at = now(), publications = publications + 1,
           lease_until = now() + make_interval(
               secs => least(:longest, :first * power(2, greatest(0, least(j.publications, 20) - 1))))
      FROM due LEFT JOIN consumers USING (queue) WHERE j.id = due.id
    RETURNING j.id, j.kind, j.queue, j.lane, j.attempt, j.publications, j.time_limit, consumers.children
"""


@cache
def _mark(most: int, *, only: bool = False) -> TextClause:
    """The statement for at most `most` jobs. A literal: for a parameter, the server would plan each execution again."""
    mark = text(_MARK.format(admitted=ADMITTED, living=ALIVE, only="AND id = ANY(:ids)" if only else "", most=most))
    return mark.bindparams(bindparam("ids", type_=ARRAY(Uuid))) if only else mark


# A job that could not be sent is moved back slightly, so that it cannot block the others for ever.
_TAKE_BACK = text(
    """
    UPDATE jobs SET state = 'queued', lease_until = NULL, published_at = NULL,
           publications = greatest(publications - 1, 0),
           publish_at = CASE WHEN id = ANY(:refused) THEN now() + interval '5 s' ELSE publish_at END
     WHERE id = ANY(:ids) AND state = 'published'
    """
).bindparams(bindparam("ids", type_=ARRAY(Uuid)), bindparam("refused", type_=ARRAY(Uuid)))


Send = Callable[[JobMessage], None]


@dataclass(frozen=True)
class PublicationLease:
    """How long a published job may wait: `first` seconds twice, then doubling with each publication up to `longest`.

    Short at first, since the message may have gone to a worker that was killed or stopped; then doubling, since it
    usually waits behind other jobs, and claiming rejects a second message in any case.

    `alive`: seconds for which a worker counts as live after its heartbeat.
    """

    first: float
    longest: float
    alive: float = 30.0


def publish(
    database: Database,
    send: Send,
    lease: PublicationLease,
    *,
    only: Sequence[UUID] | None = None,
    most: int = 100,
) -> int:
    """Publish due jobs (all, or only these ids) whose lanes have room, and return how many were sent.

    When the broker rejects one, that one and the rest of the batch go back to `queued` at once, so that they need not
    wait for a lease to expire when the broker returns; then the broker's error is raised.
    """
    values = {"first": lease.first, "longest": lease.longest, "alive": lease.alive, "smaller": SMALLER}
    with database.statement() as session:
        if only is None:
            rows = session.execute(_mark(most), values).fetchall()
        else:
            rows = session.execute(_mark(most, only=True), {**values, "ids": list(only)}).fetchall()
    messages = messages_of(rows)
    for position, message in enumerate(messages):
        try:
            send(message)
        except Exception:
            # Whatever the cause: a job marked as published but never sent would wait for its lease to expire.
            with database.transaction() as session:
                unsent = [job_id for left in messages[position:] for job_id in left.job_ids]
                take_back(session, unsent, refused=message.job_ids)
            raise
    return len(rows)


def take_back(session: Session, job_ids: Sequence[UUID], *, refused: Sequence[UUID] = ()) -> None:
    """Return published jobs that were not started to `queued`; those that the broker `refused` wait a little longer."""
    session.execute(_TAKE_BACK, {"ids": list(job_ids), "refused": list(refused)})
