"""Uploads that are sent in pieces (tus 1.0), and the marks of a recording."""

from alembic import op

revision = "0028"
down_revision = "0027"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        CREATE TABLE uploads (
            id VARCHAR(32) NOT NULL,
            principal TEXT NOT NULL,
            recorded_by INTEGER,
            session_id INTEGER NOT NULL,
            recording_id INTEGER,
            state VARCHAR NOT NULL DEFAULT 'open',
            spool_id VARCHAR NOT NULL,
            recording_type VARCHAR(50) NOT NULL DEFAULT 'video',
            title VARCHAR(255),
            filename VARCHAR(255),
            media_type VARCHAR(255),
            started_at TIMESTAMPTZ,
            clock_offset_ms BIGINT,
            marks JSONB,
            length BIGINT,
            reserved BIGINT NOT NULL,
            recorded_bytes BIGINT NOT NULL DEFAULT 0,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            CONSTRAINT pk_uploads PRIMARY KEY (id),
            CONSTRAINT ck_uploads_id CHECK (id ~ '^[0-9a-f]{32}$'),
            CONSTRAINT ck_uploads_state CHECK (state IN ('open', 'finished', 'recovered', 'terminated')),
            CONSTRAINT ck_uploads_recording_type CHECK (recording_type IN ('video', 'screen', 'board')),
            CONSTRAINT ck_uploads_length CHECK (length > 0),
            CONSTRAINT ck_uploads_reserved CHECK (reserved >= 0),
            CONSTRAINT ck_uploads_recorded_bytes CHECK (recorded_bytes >= 0),
            CONSTRAINT fk_uploads_recorded_by FOREIGN KEY (recorded_by) REFERENCES users (id) ON DELETE SET NULL,
            CONSTRAINT fk_uploads_session_id FOREIGN KEY (session_id)
                REFERENCES whiteboard_sessions (id) ON DELETE CASCADE,
            CONSTRAINT fk_uploads_recording_id FOREIGN KEY (recording_id)
                REFERENCES whiteboard_session_recordings (id) ON DELETE SET NULL
        );
        CREATE INDEX ix_uploads_principal ON uploads (principal, session_id);
        CREATE INDEX ix_uploads_session_id ON uploads (session_id);
        CREATE INDEX ix_uploads_recorded_by ON uploads (recorded_by);
        CREATE INDEX ix_uploads_recording_id ON uploads (recording_id);
        CREATE INDEX ix_uploads_open ON uploads (spool_id) WHERE state = 'open';
        ALTER TABLE whiteboard_session_recordings ADD COLUMN marks JSONB;
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE whiteboard_session_recordings DROP COLUMN marks; DROP TABLE uploads")
