"""Views for an autoscaler: how much work there is now. Its role may select them and nothing else."""

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

_VIEWS = {
    # Owner: jobs. What runs counts, too: otherwise a worker would be stopped as soon as it has taken the last job. All
    # live states are named, as in the condition of the index ix_jobs_live.
    "queue_backlog": """
        SELECT queue, count(*) AS jobs FROM jobs
         WHERE state IN ('queued', 'published', 'running', 'retryable') AND (state = 'running' OR run_at <= now())
         GROUP BY queue
    """,
    # Owner: reminders.
    "delivery_backlog": """
        SELECT count(*) AS messages FROM deliveries
         WHERE (state = 'pending' AND due_at <= now()) OR state = 'sending'
    """,
}


def upgrade() -> None:
    for name, selection in _VIEWS.items():
        op.execute(f"CREATE VIEW {name} AS {selection}")


def downgrade() -> None:
    for name in reversed(_VIEWS):
        op.execute(f"DROP VIEW {name}")
