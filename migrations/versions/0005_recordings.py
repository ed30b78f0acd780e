"""Recordings, their renditions, and the record of operators' access."""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE whiteboard_session_recordings (
        id SERIAL,
        session_id INTEGER NOT NULL,
        recording_title VARCHAR(255),
        recording_type VARCHAR(50) NOT NULL DEFAULT 'video',
        file_url TEXT,
        file_size_bytes BIGINT,
        duration_seconds INTEGER,
        thumbnail_url TEXT,
        board_snapshot JSONB,
        recording_metadata JSONB,
        recording_date TIMESTAMPTZ NOT NULL DEFAULT now(),
        is_processing BOOLEAN NOT NULL DEFAULT false,
        is_available BOOLEAN NOT NULL DEFAULT false,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        recorded_by INTEGER,
        source_sha1 VARCHAR(40),
        spool_id VARCHAR,
        spool_name VARCHAR,
        job_id UUID,
        error JSONB,
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_whiteboard_session_recordings PRIMARY KEY (id),
        CONSTRAINT ck_whiteboard_session_recordings_recording_type
            CHECK (recording_type IN ('video', 'screen', 'board')),
        CONSTRAINT ck_whiteboard_session_recordings_source_sha1 CHECK (source_sha1 ~ '^[0-9a-f]{40}$'),
        CONSTRAINT ck_whiteboard_session_recordings_spool CHECK (spool_name IS NULL OR spool_id IS NOT NULL),
        CONSTRAINT fk_whiteboard_session_recordings_session_id
            FOREIGN KEY (session_id) REFERENCES whiteboard_sessions (id) ON DELETE RESTRICT,
        CONSTRAINT fk_whiteboard_session_recordings_recorded_by
            FOREIGN KEY (recorded_by) REFERENCES users (id) ON DELETE SET NULL,
        CONSTRAINT fk_whiteboard_session_recordings_job_id
            FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE SET NULL
    )
    """,
    """
    CREATE INDEX ix_whiteboard_session_recordings_session_id
        ON whiteboard_session_recordings (session_id, id)
    """,
    """
    CREATE INDEX ix_whiteboard_session_recordings_recorded_by
        ON whiteboard_session_recordings (recorded_by)
    """,
    "CREATE INDEX ix_whiteboard_session_recordings_job_id ON whiteboard_session_recordings (job_id)",
    """
    CREATE INDEX ix_whiteboard_session_recordings_spool
        ON whiteboard_session_recordings (spool_id, spool_name)
        WHERE spool_name IS NOT NULL
    """,
    """
    CREATE UNIQUE INDEX uq_recordings_live_source
        ON whiteboard_session_recordings (session_id, recording_type, source_sha1)
        WHERE source_sha1 IS NOT NULL AND (is_processing OR is_available)
    """,
    """
    CREATE TABLE recording_renditions (
        id SERIAL,
        recording_id INTEGER NOT NULL,
        name VARCHAR NOT NULL,
        state VARCHAR NOT NULL DEFAULT 'pending',
        reason VARCHAR,
        object_name VARCHAR,
        file_id VARCHAR,
        sha1 VARCHAR,
        bytes BIGINT,
        mime VARCHAR,
        codecs VARCHAR,
        width INTEGER,
        height INTEGER,
        bit_rate INTEGER,
        duration_ms INTEGER,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_recording_renditions PRIMARY KEY (id),
        CONSTRAINT uq_recording_renditions_object_name UNIQUE (object_name),
        CONSTRAINT uq_recording_renditions_recording_id_name UNIQUE (recording_id, name),
        CONSTRAINT ck_recording_renditions_state CHECK (state IN ('pending', 'ready', 'failed')),
        CONSTRAINT ck_recording_renditions_ready CHECK (state <> 'ready' OR object_name IS NOT NULL),
        CONSTRAINT fk_recording_renditions_recording_id
            FOREIGN KEY (recording_id) REFERENCES whiteboard_session_recordings (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE recording_accesses (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        recording_id INTEGER NOT NULL,
        admin_id INTEGER NOT NULL,
        action VARCHAR NOT NULL,
        at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_recording_accesses PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_recording_accesses_recording_id ON recording_accesses (recording_id, at)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE recording_accesses, recording_renditions, whiteboard_session_recordings")
