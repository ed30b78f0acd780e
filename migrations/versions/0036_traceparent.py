"""The span that ordered a job, so that one trace goes from a request to ffmpeg."""

from alembic import op

revision = "0036"
down_revision = "0035"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL without a default: no row is rewritten.
    op.execute("ALTER TABLE jobs ADD COLUMN traceparent VARCHAR(55)")


def downgrade() -> None:
    op.execute("ALTER TABLE jobs DROP COLUMN traceparent")
