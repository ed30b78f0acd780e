"""The request that ordered a job, so that its log lines can be found together."""

from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE jobs ADD COLUMN request_id VARCHAR")


def downgrade() -> None:
    op.execute("ALTER TABLE jobs DROP COLUMN request_id")
