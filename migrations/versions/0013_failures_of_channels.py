"""Consecutive failures of a channel and since when; providers that refuse our messages."""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE notification_channels
            ADD COLUMN failures INTEGER DEFAULT 0 NOT NULL,
            ADD COLUMN failing_since TIMESTAMPTZ
        """
    )
    op.execute(
        """
        CREATE TABLE provider_troubles (
            provider VARCHAR(300) NOT NULL,
            since TIMESTAMPTZ NOT NULL,
            last_at TIMESTAMPTZ NOT NULL,
            reason VARCHAR(200) NOT NULL,
            CONSTRAINT pk_provider_troubles PRIMARY KEY (provider)
        )
        """
    )


def downgrade() -> None:
    op.execute("DROP TABLE provider_troubles")
    op.execute("ALTER TABLE notification_channels DROP COLUMN failures, DROP COLUMN failing_since")
