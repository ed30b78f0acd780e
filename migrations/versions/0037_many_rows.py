"""Indexes, views and vacuum for tables of ten million rows: jobs that wait, messages that are due or were postponed.

The relay's index has a condition that no other index has, so that the planner reads this one in its order and does not
combine it with others (worker/jobs/publish.py). The relay of the previous release uses the index of live jobs instead.
"""

from alembic import op

revision = "0037"
down_revision = "0036"
branch_labels = None
depends_on = None

_BUILD = (
    # CONCURRENTLY waits for older transactions, and blocks nobody meanwhile.
    "SET lock_timeout = 0",
    # An index that a failed attempt has left is invalid.
    "DROP INDEX CONCURRENTLY IF EXISTS ix_jobs_waiting",
    """
    CREATE INDEX CONCURRENTLY ix_jobs_waiting ON jobs (priority, run_at, id)
        WHERE (state IN ('queued', 'retryable')) IS TRUE
    """,
    "DROP INDEX CONCURRENTLY IF EXISTS ix_jobs_due",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_deliveries_put_off",
    """
    CREATE INDEX CONCURRENTLY ix_deliveries_put_off ON deliveries (channel)
        WHERE state IN ('pending', 'sending') AND reason IS NOT NULL
    """,
    "SET lock_timeout = '1s'",
)
# Each branch uses its own index. ORDER BY and LIMIT, because the planner expects most pending messages to be due, and
# would otherwise read the whole table.
_VIEWS = {
    "queue_backlog": """
        SELECT queue, count(*) AS jobs FROM (
            SELECT queue FROM jobs WHERE (state IN ('queued', 'retryable')) IS TRUE AND run_at <= now()
             UNION ALL
            SELECT queue FROM jobs
             WHERE state IN ('published', 'running') AND (state = 'running' OR run_at <= now())
        ) AS due GROUP BY queue
    """,
    "delivery_backlog": """
        SELECT count(*) AS messages FROM (
            (SELECT id FROM deliveries WHERE state = 'pending' AND due_at <= now() ORDER BY due_at LIMIT 100000)
             UNION ALL
            (SELECT id FROM deliveries WHERE state = 'sending')
        ) AS due
    """,
}
_EARLIER_VIEWS = {
    "queue_backlog": """
        SELECT queue, count(*) AS jobs FROM jobs
         WHERE state IN ('queued', 'published', 'running', 'retryable') AND (state = 'running' OR run_at <= now())
         GROUP BY queue
    """,
    "delivery_backlog": """
        SELECT count(*) AS messages FROM deliveries
         WHERE (state = 'pending' AND due_at <= now()) OR state = 'sending'
    """,
}


def upgrade() -> None:
    # Its lock blocks neither reads nor writes.
    op.execute("ALTER TABLE deliveries SET (autovacuum_vacuum_scale_factor = 0.01)")
    with op.get_context().autocommit_block():
        for statement in _BUILD:
            op.execute(statement)
    _replace(_VIEWS)


def downgrade() -> None:
    _replace(_EARLIER_VIEWS)
    op.execute("ALTER TABLE deliveries RESET (autovacuum_vacuum_scale_factor)")
    op.execute("DROP INDEX ix_deliveries_put_off")
    op.execute("DROP INDEX ix_jobs_waiting")
    op.execute("CREATE INDEX ix_jobs_due ON jobs (priority, run_at, id) WHERE state IN ('queued', 'retryable')")


def _replace(views: dict[str, str]) -> None:
    for name, selection in views.items():
        op.execute(f"CREATE OR REPLACE VIEW {name} AS {selection}")
