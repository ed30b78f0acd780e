"""A ledger with a history: a million finished jobs of many people, and a few thousand waiting jobs."""

from typing import Any

import psycopg

# Kinds and states in the proportions of a year of lessons. Unfinished jobs are neither due nor do they expire, so that
# the running stack ignores them. User 1 makes the requests: 1 000 of the million rows are theirs.
_JOBS = """
    INSERT INTO jobs (kind, queue, principal, subject, args, state, attempt, run_at, run_token, worker, lease_until,
                      progress, progress_seq, result, error, created_at, started_at, finished_at)
    SELECT kind, 'default', principal, 'recording:' || n / 3, '{}', state,
           CASE state WHEN 'queued' THEN 0 ELSE 1 END,
           CASE state WHEN 'queued' THEN now() + interval '10 years' ELSE at END,
           CASE state WHEN 'running' THEN gen_random_uuid() END, 'w', now() + interval '10 years',
           CASE state WHEN 'succeeded' THEN 100 ELSE 0 END, 2,
           CASE state WHEN 'succeeded' THEN '{"object": "playback.webm", "duration_ms": 1200000}'::jsonb END,
           CASE WHEN state IN ('failed', 'dead') THEN '{"code": "internal", "detail": "unexpected"}'::jsonb END,
           at, CASE state WHEN 'queued' THEN NULL ELSE at + interval '1 s' END,
           CASE WHEN state NOT IN ('queued', 'running') THEN at + interval '5 s' END
      FROM (SELECT n, now() - interval '25 days' * (1 - n::float / %(rows)s) AS at,
                   CASE WHEN n %% 1000 = 1 THEN 'user:1' ELSE 'user:' || 2 + n %% 4999 END AS principal,
                   (ARRAY['recordings.ingest', 'recordings.store_source', 'recordings.store_source',
                          'recordings.remove_files'])[1 + n %% 4] AS kind,
                   CASE WHEN n %% 500 = 0 THEN 'queued' WHEN n %% 503 = 0 THEN 'running'
                        WHEN n %% 211 = 0 THEN 'failed' WHEN n %% 499 = 0 THEN 'dead'
                        WHEN n %% 307 = 0 THEN 'cancelled' ELSE 'succeeded' END AS state
              FROM generate_series(1, %(rows)s) AS n) AS past
"""
_ATTEMPTS = """
    INSERT INTO job_attempts (job_id, attempt, run_token, worker, started_at, outcome, error)
    SELECT id, 1, gen_random_uuid(), 'w', started_at, state, error FROM jobs WHERE finished_at IS NOT NULL
"""


def fill_ledger(connection: psycopg.Connection[Any], rows: int) -> None:
    """Insert jobs and their attempts, and update the planner's statistics."""
    # One statement that takes a minute, on a server whose timeout is half of that.
    connection.execute("SET statement_timeout = 0")
    connection.execute(_JOBS, {"rows": rows})
    connection.execute(_ATTEMPTS)
    connection.execute("VACUUM ANALYZE jobs, job_attempts")
    connection.execute("CHECKPOINT")
