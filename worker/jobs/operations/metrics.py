"""The metrics of the queues, for operators."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

_DIED = text("SELECT count(*) FROM jobs WHERE state = 'dead' AND finished_at > now() - interval '1 hour'")
# Live jobs, and those that ended within an hour: older ones say nothing and would be counted at every scrape.
_COUNTS = text(
    """
    SELECT state, kind, count(*) FROM jobs
     WHERE state IN ('queued', 'published', 'running', 'retryable') GROUP BY state, kind
     UNION ALL
    SELECT state, kind, count(*) FROM jobs WHERE finished_at > now() - interval '1 hour' GROUP BY state, kind
     ORDER BY 1, 2
    """
)
# Counted since the job became due, however often it was published, lost or rejected by the broker. Waiting and
# published jobs have an index each.
_OLDEST_DUE = text(
    """
    SELECT queue, extract(epoch FROM now() - min(run_at))::float AS age FROM (
        SELECT queue, run_at FROM jobs WHERE (state IN ('queued', 'retryable')) IS TRUE AND run_at <= now()
         UNION ALL
        SELECT queue, run_at FROM jobs WHERE state = 'published' AND run_at <= now()
    ) AS due GROUP BY queue
    """
)
# By kind: the total length of the recordings, and how long their jobs ran.
_MEDIA = text(
    """
    SELECT kind, sum(coalesce((args->>'seconds')::float, (result->>'duration_ms')::float / 1000)) AS media,
           sum(extract(epoch FROM finished_at - started_at))::float AS run
      FROM jobs WHERE state = 'succeeded' AND finished_at > now() - interval '1 hour'
       AND kind IN ('recordings.ingest', 'recordings.renditions', 'recordings.pictures') GROUP BY kind
    """
)


@dataclass(frozen=True)
class MediaWork:
    """The jobs of a kind that succeeded within the last hour: the length of their recordings, and how long they ran."""

    media_seconds: float
    run_seconds: float

    @property
    def real_time_factor(self) -> float:
        """Seconds of recording processed per second of run time."""
        return self.media_seconds / max(self.run_seconds, 0.001)


@dataclass(frozen=True)
class QueueMetrics:
    """Numbers of jobs by (state, kind), and for how many seconds the oldest due job of each queue has been waiting.

    Counts live jobs, and those that ended within an hour.
    """

    counts: dict[tuple[str, str], int]
    oldest_due: dict[str, float]
    # Jobs that used up their attempts within the last hour.
    died: int
    media: dict[str, MediaWork]

    @property
    def oldest_due_age(self) -> float:
        """For how many seconds the oldest due job of all queues has been waiting; 0 when none waits."""
        return max(self.oldest_due.values(), default=0.0)


def queue_metrics(session: Session) -> QueueMetrics:
    """The metrics of the queues for operators."""
    counts = {(state, kind): count for state, kind, count in session.execute(_COUNTS)}
    return QueueMetrics(
        counts,
        {row.queue: row.age for row in session.execute(_OLDEST_DUE)},
        session.scalars(_DIED).one(),
        {row.kind: MediaWork(row.media or 0.0, row.run or 0.0) for row in session.execute(_MEDIA)},
    )
