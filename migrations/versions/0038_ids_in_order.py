"""Ids of jobs that rise with time, so that the indexes of new ones are a few pages that are in memory.

Random ids cost a page of each index for every job, and its full image in the WAL after a checkpoint. UUID version 7
(RFC 9562 §5.7), which PostgreSQL has from 18 on: milliseconds, then 74 random bits.
"""

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None

_FUNCTION = """
    CREATE FUNCTION time_ordered_uuid() RETURNS uuid LANGUAGE sql VOLATILE PARALLEL SAFE AS $$
        SELECT encode(set_bit(set_bit(overlay(
            uuid_send(gen_random_uuid())
            PLACING substring(int8send((extract(epoch FROM clock_timestamp()) * 1000)::bigint) FROM 3) FROM 1 FOR 6
        ), 52, 1), 53, 1), 'hex')::uuid
    $$
"""


def upgrade() -> None:
    op.execute(_FUNCTION)
    op.execute("ALTER TABLE jobs ALTER COLUMN id SET DEFAULT time_ordered_uuid()")


def downgrade() -> None:
    op.execute("ALTER TABLE jobs ALTER COLUMN id SET DEFAULT gen_random_uuid()")
    op.execute("DROP FUNCTION time_ordered_uuid()")
