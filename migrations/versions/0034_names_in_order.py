"""An index of the names of objects in the order of their bytes, as Backblaze lists them.

The column keeps its type: connections of the previous release have prepared statements that return it, and PostgreSQL
refuses these from then on ("cached plan must not change result type").
"""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

_BUILD = (
    # CONCURRENTLY waits for older transactions, and blocks nobody meanwhile.
    "SET lock_timeout = 0",
    # An index that a failed attempt has left is invalid.
    "DROP INDEX CONCURRENTLY IF EXISTS ix_recording_renditions_object_name",
    """
    CREATE INDEX CONCURRENTLY ix_recording_renditions_object_name
        ON recording_renditions (object_name COLLATE "C")
    """,
    "SET lock_timeout = '1s'",
)


def upgrade() -> None:
    with op.get_context().autocommit_block():
        for statement in _BUILD:
            op.execute(statement)


def downgrade() -> None:
    op.execute("DROP INDEX ix_recording_renditions_object_name")
