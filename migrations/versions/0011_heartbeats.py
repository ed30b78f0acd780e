"""Heartbeats of processes; publishing no longer changes the time since which a job has been due."""

from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE heartbeats (
            process VARCHAR NOT NULL,
            part VARCHAR NOT NULL,
            queue VARCHAR NOT NULL DEFAULT '',
            children INTEGER NOT NULL DEFAULT 0,
            clock_ahead DOUBLE PRECISION NOT NULL DEFAULT 0,
            seen_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            CONSTRAINT pk_heartbeats PRIMARY KEY (process, part, queue)
        ) WITH (fillfactor = 50)
        """
    )
    op.execute("CREATE INDEX ix_heartbeats_part_seen_at ON heartbeats (part, seen_at)")
    op.execute("ALTER TABLE jobs ADD COLUMN publish_at TIMESTAMPTZ")


def downgrade() -> None:
    op.execute("ALTER TABLE jobs DROP COLUMN publish_at")
    op.execute("DROP TABLE heartbeats")
