"""Names of objects are ordered by their bytes, as Backblaze lists them. The table is not written again."""

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute('ALTER TABLE recording_renditions ALTER COLUMN object_name TYPE VARCHAR COLLATE "C"')


def downgrade() -> None:
    op.execute('ALTER TABLE recording_renditions ALTER COLUMN object_name TYPE VARCHAR COLLATE "default"')
