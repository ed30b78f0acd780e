"""Pictures and documents of whiteboards, and the record of operators' access to them."""

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE whiteboard_snapshots (
        id SERIAL,
        session_id INTEGER NOT NULL,
        page_id INTEGER,
        name VARCHAR NOT NULL,
        content_digest VARCHAR NOT NULL,
        object_name VARCHAR NOT NULL,
        file_id VARCHAR NOT NULL,
        sha1 VARCHAR,
        bytes BIGINT NOT NULL,
        mime VARCHAR NOT NULL,
        width INTEGER,
        height INTEGER,
        skipped INTEGER NOT NULL DEFAULT 0,
        taken_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        job_id UUID,
        CONSTRAINT pk_whiteboard_snapshots PRIMARY KEY (id),
        CONSTRAINT uq_whiteboard_snapshots_object_name UNIQUE (object_name),
        CONSTRAINT uq_whiteboard_snapshots_session_id_page_id_name
            UNIQUE NULLS NOT DISTINCT (session_id, page_id, name),
        CONSTRAINT ck_whiteboard_snapshots_name CHECK (name IN ('png', 'png_2x', 'thumbnail', 'svg', 'pdf')),
        CONSTRAINT ck_whiteboard_snapshots_page CHECK ((name = 'pdf') = (page_id IS NULL)),
        CONSTRAINT ck_whiteboard_snapshots_content_digest CHECK (content_digest ~ '^[0-9a-f]{64}$'),
        CONSTRAINT fk_whiteboard_snapshots_session_id
            FOREIGN KEY (session_id) REFERENCES whiteboard_sessions (id) ON DELETE CASCADE,
        CONSTRAINT fk_whiteboard_snapshots_page_id
            FOREIGN KEY (page_id) REFERENCES whiteboard_pages (id) ON DELETE CASCADE,
        CONSTRAINT fk_whiteboard_snapshots_job_id
            FOREIGN KEY (job_id) REFERENCES jobs (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_whiteboard_snapshots_page_id ON whiteboard_snapshots (page_id)",
    "CREATE INDEX ix_whiteboard_snapshots_job_id ON whiteboard_snapshots (job_id)",
    "CREATE INDEX ix_whiteboard_sessions_actual_end ON whiteboard_sessions (actual_end) WHERE status = 'completed'",
    """
    CREATE TABLE whiteboard_accesses (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        session_id INTEGER NOT NULL,
        page_id INTEGER,
        admin_id INTEGER NOT NULL,
        action VARCHAR NOT NULL,
        at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_whiteboard_accesses PRIMARY KEY (id)
    )
    """,
    "CREATE INDEX ix_whiteboard_accesses_session_id ON whiteboard_accesses (session_id, at)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE whiteboard_accesses, whiteboard_snapshots")
    op.execute("DROP INDEX ix_whiteboard_sessions_actual_end")
