"""Separate indexes for waiting and claimed deliveries: a claim does not scan rows that others have claimed."""

from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE INDEX ix_deliveries_pending ON deliveries (due_at, id) WHERE state = 'pending'")
    op.execute("CREATE INDEX ix_deliveries_sending ON deliveries (id) WHERE state = 'sending'")
    op.execute("DROP INDEX ix_deliveries_due")


def downgrade() -> None:
    op.execute("CREATE INDEX ix_deliveries_due ON deliveries (due_at, id) WHERE state IN ('pending', 'sending')")
    op.execute("DROP INDEX ix_deliveries_pending, ix_deliveries_sending")
