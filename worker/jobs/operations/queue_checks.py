"""How long ago a job last went through each queue (`CheckQueue`), from the broker to its end in the database."""

from sqlalchemy import text

from worker.database import Executor

# Checks ordered within the last hour, in which beat orders a hundred, and older ones that still wait. Until the first
# check of a queue has ended, the age is how long it has been waiting. abs(): an end in the future, from before the
# database's clock was set back, says as little as an old one.
_AGES = text(
    """
    SELECT queue, coalesce(min(abs(extract(epoch FROM now() - ended_at))),
                           max(abs(extract(epoch FROM now() - created_at))))::float AS age FROM (
        SELECT queue, created_at, CASE state WHEN 'succeeded' THEN finished_at END AS ended_at FROM jobs
         WHERE kind = 'upkeep.check_queue' AND created_at > now() - interval '1 hour'
         UNION ALL
        SELECT queue, created_at, NULL FROM jobs
         WHERE principal = 'beat' AND kind = 'upkeep.check_queue'
           AND state IN ('queued', 'published', 'running', 'retryable') AND created_at <= now() - interval '1 hour'
    ) AS checks GROUP BY queue
    """
)


def queue_check_ages(executor: Executor) -> dict[str, float]:
    """Seconds since the last check of each queue ended; a queue for which none was ordered is absent."""
    return {row.queue: row.age for row in executor.execute(_AGES, {})}
