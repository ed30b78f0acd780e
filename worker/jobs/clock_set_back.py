"""Jobs whose times are in the future because the database's clock was set back: they would wait until it catches up."""

from sqlalchemy import text

from worker.database import Database
from worker.logs import get_logger

_log = get_logger(__name__)

# A job that was ordered, started or published in the future shows that the clock was set back since. Waits of less than
# a minute are left alone: they end soon, and a statement also sees what was written after its `now`. So are running
# jobs, whose lease the next heartbeat sets. The conditions on `run_at` and `lease_until` are there for the indexes.
_RUN_NOW = text(
    """
    WITH waiting AS (
        UPDATE jobs SET run_at = now(), publish_at = NULL
         WHERE id IN (SELECT id FROM jobs
                       WHERE (state IN ('queued', 'retryable')) IS TRUE AND run_at > now() + interval '1 min'
                         AND coalesce(started_at, created_at) > now()
                       LIMIT :most FOR UPDATE SKIP LOCKED)
        RETURNING id
    ), published AS (
        UPDATE jobs SET run_at = least(run_at, now()), lease_until = now()
         WHERE id IN (SELECT id FROM jobs
                       WHERE state = 'published' AND lease_until > now() + interval '1 min' AND published_at > now()
                       LIMIT :most FOR UPDATE SKIP LOCKED)
        RETURNING id
    )
    SELECT (SELECT count(*) FROM waiting) + (SELECT count(*) FROM published) AS jobs
    """
)


def run_jobs_of_the_future(database: Database, *, most: int) -> None:
    """Let jobs run now whose times are from before the clock was set back; published ones are published again."""
    with database.statement() as statement:
        row = statement.execute(_RUN_NOW, {"most": most}).fetchone()
    if row is not None and row.jobs:
        _log.warning("clock_was_set_back", jobs=row.jobs)
