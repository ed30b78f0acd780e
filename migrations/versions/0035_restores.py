"""How a database detects that it was restored from a backup, and why its sweeps wait."""

from alembic import op

revision = "0035"
down_revision = "0034"
branch_labels = None
depends_on = None

COLUMNS = {
    "identity": "VARCHAR",
    "bucket_number": "BIGINT NOT NULL DEFAULT 0",
    "held_reason": "VARCHAR",
}


def upgrade() -> None:
    for name, definition in COLUMNS.items():
        op.execute(f"ALTER TABLE installation ADD COLUMN {name} {definition}")


def downgrade() -> None:
    for name in COLUMNS:
        op.execute(f"ALTER TABLE installation DROP COLUMN {name}")
