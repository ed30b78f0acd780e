"""Indexes of the outputs of recordings that are pending or changed lately: `/metrics` counts no others."""

from alembic import op

revision = "0040"
down_revision = "0039"
branch_labels = None
depends_on = None

_BUILD = (
    # CONCURRENTLY waits for older transactions, and blocks nobody meanwhile.
    "SET lock_timeout = 0",
    # An index that a failed attempt has left is invalid.
    "DROP INDEX CONCURRENTLY IF EXISTS ix_recording_renditions_pending",
    "CREATE INDEX CONCURRENTLY ix_recording_renditions_pending ON recording_renditions (name) WHERE state = 'pending'",
    "DROP INDEX CONCURRENTLY IF EXISTS ix_recording_renditions_ended",
    """
    CREATE INDEX CONCURRENTLY ix_recording_renditions_ended ON recording_renditions (updated_at)
        WHERE state <> 'pending'
    """,
    "SET lock_timeout = '1s'",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _BUILD:
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_recording_renditions_ended")
    op.execute("DROP INDEX ix_recording_renditions_pending")
