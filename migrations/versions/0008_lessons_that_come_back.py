"""Two more kinds of messages: a cancelled lesson was restored, and a free slot was booked."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OLD = """'lesson-reminder', 'lesson-moved', 'lesson-cancelled', 'request-received', 'request-accepted',
          'request-rejected', 'recording-ready', 'channel-code', 'channel-disabled', 'test'"""
_NEW = """'lesson-reminder', 'lesson-moved', 'lesson-cancelled', 'lesson-restored', 'lesson-booked', 'request-received',
          'request-accepted', 'request-rejected', 'recording-ready', 'channel-code', 'channel-disabled', 'test'"""


def upgrade() -> None:
    _allow(_NEW)


def downgrade() -> None:
    # An old release does not know these kinds.
    for table in ("deliveries", "notifications"):
        op.execute(f"DELETE FROM {table} WHERE kind IN ('lesson-restored', 'lesson-booked')")  # noqa: S608 - our own
    _allow(_OLD)


def _allow(kinds: str) -> None:
    for table in ("deliveries", "notifications"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_kind")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_kind CHECK (kind IN ({kinds}))")
