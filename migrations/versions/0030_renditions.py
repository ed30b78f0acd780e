"""Renditions for slow links: `board` is a film from now on, and a row states its segments."""

from alembic import op

revision = "0030"
down_revision = "0029"
branch_labels = None
depends_on = None


def upgrade() -> None:
    # The drawn pages of a recording without a file were named `board`; that is now the film of a board.
    # HLS is written by the API from the segments of other rows: it has no object.
    op.execute(
        """
        UPDATE recording_renditions SET name = 'document' WHERE name = 'board';
        ALTER TABLE recording_renditions
            ADD COLUMN segments JSONB,
            DROP CONSTRAINT ck_recording_renditions_ready,
            ADD CONSTRAINT ck_recording_renditions_ready
                CHECK (state <> 'ready' OR object_name IS NOT NULL OR name = 'hls');
        """
    )


def downgrade() -> None:
    op.execute(
        """
        DELETE FROM recording_renditions
         WHERE name IN ('audio', 'audio-aac', '360p', '720p', 'board', 'hls', 'download');
        ALTER TABLE recording_renditions
            DROP COLUMN segments,
            DROP CONSTRAINT ck_recording_renditions_ready,
            ADD CONSTRAINT ck_recording_renditions_ready CHECK (state <> 'ready' OR object_name IS NOT NULL);
        UPDATE recording_renditions SET name = 'board' WHERE name = 'document';
        """
    )
