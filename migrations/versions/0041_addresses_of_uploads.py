"""Where an upload is continued, so that an API process without its spool can say so."""

from alembic import op

revision = "0041"
down_revision = "0040"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # NULL without a default: no row is rewritten.
    op.execute("ALTER TABLE uploads ADD COLUMN base_url TEXT")


def downgrade() -> None:
    op.execute("ALTER TABLE uploads DROP COLUMN base_url")
