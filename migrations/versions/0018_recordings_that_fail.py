"""The tutor of a recording is notified that it failed."""

from alembic import op

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None

_KINDS_BEFORE = (
    "'lesson-reminder', 'lesson-moved', 'lesson-cancelled', 'lesson-restored', 'lesson-booked', 'request-received', "
    "'request-accepted', 'request-rejected', 'booking-offered', 'booking-accepted', 'booking-ended', 'recording-ready'"
)
_KINDS_AFTER = "'channel-code', 'channel-disabled', 'test'"


def upgrade() -> None:
    _kinds(f"{_KINDS_BEFORE}, 'recording-failed', {_KINDS_AFTER}")


def downgrade() -> None:
    for table in ("deliveries", "notifications"):
        op.execute(f"DELETE FROM {table} WHERE kind = 'recording-failed'")  # noqa: S608 - our own words
    _kinds(f"{_KINDS_BEFORE}, {_KINDS_AFTER}")


def _kinds(kinds: str) -> None:
    for table in ("deliveries", "notifications"):
        op.execute(f"ALTER TABLE {table} DROP CONSTRAINT ck_{table}_kind")
        op.execute(f"ALTER TABLE {table} ADD CONSTRAINT ck_{table}_kind CHECK (kind IN ({kinds}))")
