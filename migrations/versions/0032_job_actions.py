"""Who retried, cancelled or purged a job."""

from alembic import op

revision = "0032"
down_revision = "0031"
branch_labels = None
depends_on = None

STATES = "'queued', 'published', 'running', 'retryable', 'succeeded', 'failed', 'cancelled', 'dead'"
TABLES = (
    f"""
    CREATE TABLE job_actions (
        id BIGINT GENERATED ALWAYS AS IDENTITY,
        job_id UUID NOT NULL,
        kind VARCHAR NOT NULL,
        subject VARCHAR,
        action VARCHAR(20) NOT NULL,
        state VARCHAR NOT NULL,
        actor VARCHAR(80) NOT NULL,
        at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_job_actions PRIMARY KEY (id),
        CONSTRAINT ck_job_actions_action CHECK (action IN ('retry', 'cancel', 'purge')),
        CONSTRAINT ck_job_actions_state CHECK (state IN ({STATES}))
    )
    """,
    "CREATE INDEX ix_job_actions_job_id ON job_actions (job_id)",
    "CREATE INDEX ix_job_actions_at ON job_actions (at)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE job_actions")
