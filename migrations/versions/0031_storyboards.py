"""The tiles of storyboards: which moment of the recording each shows."""

from alembic import op

revision = "0031"
down_revision = "0030"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("ALTER TABLE recording_renditions ADD COLUMN tiles JSONB")


def downgrade() -> None:
    op.execute("ALTER TABLE recording_renditions DROP COLUMN tiles")
