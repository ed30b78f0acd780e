"""VACUUM of jobs and deliveries removes dead entries of indexes, however few pages have them.

By default it keeps them when less than 2 % of a table's pages have any: of ten million jobs, those of the last
forty thousand, all of them in the few pages that the relay reads.
"""

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # Their locks block neither reads nor writes.
    op.execute("ALTER TABLE jobs SET (vacuum_index_cleanup = on)")
    op.execute("ALTER TABLE deliveries SET (vacuum_index_cleanup = on)")


def downgrade() -> None:
    op.execute("ALTER TABLE jobs RESET (vacuum_index_cleanup)")
    op.execute("ALTER TABLE deliveries RESET (vacuum_index_cleanup)")
