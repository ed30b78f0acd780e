"""How long ago the jobs that delete old data last succeeded."""

from sqlalchemy import text

from worker.database import Executor

# Until a stored job has succeeded, the age is that of the oldest order. Each spool has a queue. abs(): an end in the
# future, from before the database's clock was set back, says as little as an old one.
_AGES = text(
    """
    SELECT kind, queue, coalesce(min(abs(extract(epoch FROM now() - finished_at))) FILTER (WHERE state = 'succeeded'),
                                 max(abs(extract(epoch FROM now() - created_at))))::float AS age
      FROM jobs WHERE kind IN ('upkeep.prune_ledger', 'upkeep.sweep_objects', 'upkeep.sweep_spool')
     GROUP BY kind, queue
    """
)


def upkeep_ages(executor: Executor) -> dict[tuple[str, str], float]:
    """Seconds since the last success by (kind, queue); a job that was never ordered is absent."""
    return {(row.kind, row.queue): row.age for row in executor.execute(_AGES, {})}
