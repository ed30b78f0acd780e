"""Chapters, captions and typed text of recordings, and addresses of recordings that need no token."""

from alembic import op

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _create_texts()
    _create_shares()


def _create_texts() -> None:
    op.execute(
        """
        CREATE TABLE recording_chapters (
            recording_id INTEGER NOT NULL,
            origin VARCHAR NOT NULL,
            chapters JSONB NOT NULL,
            updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            CONSTRAINT pk_recording_chapters PRIMARY KEY (recording_id, origin),
            CONSTRAINT ck_recording_chapters_origin CHECK (origin IN ('automatic', 'tutor')),
            CONSTRAINT fk_recording_chapters_recording_id FOREIGN KEY (recording_id)
                REFERENCES whiteboard_session_recordings (id) ON DELETE CASCADE
        );
        CREATE TABLE recording_captions (
            recording_id INTEGER NOT NULL,
            language VARCHAR(35) NOT NULL,
            cues JSONB NOT NULL,
            bytes INTEGER NOT NULL,
            updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            CONSTRAINT pk_recording_captions PRIMARY KEY (recording_id, language),
            CONSTRAINT ck_recording_captions_bytes CHECK (bytes > 0),
            CONSTRAINT fk_recording_captions_recording_id FOREIGN KEY (recording_id)
                REFERENCES whiteboard_session_recordings (id) ON DELETE CASCADE
        );
        CREATE TABLE recording_board_texts (
            recording_id INTEGER NOT NULL,
            texts JSONB NOT NULL,
            updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            CONSTRAINT pk_recording_board_texts PRIMARY KEY (recording_id),
            CONSTRAINT fk_recording_board_texts_recording_id FOREIGN KEY (recording_id)
                REFERENCES whiteboard_session_recordings (id) ON DELETE CASCADE
        );
        """
    )


def _create_shares() -> None:
    op.execute(
        """
        CREATE TABLE recording_shares (
            id SERIAL NOT NULL,
            recording_id INTEGER NOT NULL,
            secret_hash VARCHAR(64) NOT NULL,
            created_by INTEGER,
            created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
            expires_at TIMESTAMPTZ NOT NULL,
            from_seconds INTEGER,
            to_seconds INTEGER,
            opened INTEGER NOT NULL DEFAULT 0,
            opened_at TIMESTAMPTZ,
            CONSTRAINT pk_recording_shares PRIMARY KEY (id),
            CONSTRAINT uq_recording_shares_secret_hash UNIQUE (secret_hash),
            CONSTRAINT ck_recording_shares_from_seconds CHECK (from_seconds >= 0),
            CONSTRAINT ck_recording_shares_to_seconds CHECK (to_seconds > coalesce(from_seconds, 0)),
            CONSTRAINT fk_recording_shares_recording_id FOREIGN KEY (recording_id)
                REFERENCES whiteboard_session_recordings (id) ON DELETE CASCADE,
            CONSTRAINT fk_recording_shares_created_by FOREIGN KEY (created_by) REFERENCES users (id) ON DELETE SET NULL
        );
        CREATE INDEX ix_recording_shares_recording_id ON recording_shares (recording_id);
        CREATE INDEX ix_recording_shares_created_by ON recording_shares (created_by);
        CREATE INDEX ix_recording_shares_expires_at ON recording_shares (expires_at);
        """
    )


def downgrade() -> None:
    op.execute(
        "DROP TABLE recording_shares; DROP TABLE recording_board_texts; DROP TABLE recording_captions; "
        "DROP TABLE recording_chapters"
    )
