"""An index of the announcements to a person: one that a later one contradicts is not sent."""

from alembic import op

revision = "0042"
down_revision = "0041"
branch_labels = None
depends_on = None

_BUILD = (
    # CONCURRENTLY waits for older transactions, and blocks nobody meanwhile.
    "SET lock_timeout = 0",
    # An index that a failed attempt has left is invalid.
    "DROP INDEX CONCURRENTLY IF EXISTS ix_deliveries_announcements",
    """
    CREATE INDEX CONCURRENTLY ix_deliveries_announcements ON deliveries (user_id, id)
        WHERE kind IN ('lesson-moved', 'lesson-cancelled', 'lesson-restored', 'lesson-booked')
    """,
    "SET lock_timeout = '1s'",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _BUILD:
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_deliveries_announcements")
