"""Lanes: which jobs share half of a worker's children, and the size of each relative to others of its lane."""

from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE jobs ADD COLUMN lane VARCHAR, ADD COLUMN weight BIGINT NOT NULL DEFAULT 0")
    op.execute(
        "CREATE INDEX ix_jobs_lane ON jobs (queue, lane, principal) WHERE lane IS NOT NULL"
        " AND state IN ('queued', 'published', 'running', 'retryable')"
    )
    # When a person's job of a lane was last claimed.
    op.execute("CREATE INDEX ix_jobs_lane_started ON jobs (lane, principal, started_at) WHERE lane IS NOT NULL")


def downgrade() -> None:
    op.execute("DROP INDEX ix_jobs_lane_started")
    op.execute("DROP INDEX ix_jobs_lane")
    op.execute("ALTER TABLE jobs DROP COLUMN lane, DROP COLUMN weight")
