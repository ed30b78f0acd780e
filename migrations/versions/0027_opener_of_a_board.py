"""Who opened a board that came from the platform: a student who called may record, though the tutor leads."""

from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE whiteboard_sessions
            ADD COLUMN opener_profile_id INTEGER,
            ADD COLUMN opener_profile_type VARCHAR(20),
            ADD CONSTRAINT ck_whiteboard_sessions_opener_profile_type
                CHECK (opener_profile_type IN ('tutor', 'student')),
            ADD CONSTRAINT ck_whiteboard_sessions_opener
                CHECK (opener_profile_id IS NULL OR opener_profile_type IS NOT NULL)
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE whiteboard_sessions DROP COLUMN opener_profile_id, DROP COLUMN opener_profile_type")
