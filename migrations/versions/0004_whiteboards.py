"""The whiteboard: sessions, pages, strokes, and the events of a session."""

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE whiteboard_sessions (
        id SERIAL,
        session_title VARCHAR(300),
        session_description TEXT,
        booking_id INTEGER,
        schedule_id INTEGER,
        scheduled_start TIMESTAMPTZ,
        scheduled_end TIMESTAMPTZ,
        actual_start TIMESTAMPTZ,
        actual_end TIMESTAMPTZ,
        status VARCHAR(50) NOT NULL DEFAULT 'scheduled',
        is_recording BOOLEAN NOT NULL DEFAULT false,
        recording_started_at TIMESTAMPTZ,
        has_recordings BOOLEAN NOT NULL DEFAULT false,
        session_notes TEXT,
        student_permissions JSONB NOT NULL
            DEFAULT '{"can_draw": false, "can_erase": false, "can_write": false}'::jsonb,
        host_profile_id INTEGER,
        host_profile_type VARCHAR(20),
        participant_profile_ids INTEGER[] NOT NULL DEFAULT '{}'::integer[],
        participant_profile_types VARCHAR[] NOT NULL DEFAULT '{}'::character varying[],
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_whiteboard_sessions PRIMARY KEY (id),
        CONSTRAINT ck_whiteboard_sessions_status
            CHECK (status IN ('scheduled', 'in_progress', 'completed', 'cancelled')),
        CONSTRAINT ck_whiteboard_sessions_host_profile_type CHECK (host_profile_type IN ('tutor', 'student')),
        CONSTRAINT ck_whiteboard_sessions_host
            CHECK (host_profile_id IS NULL OR host_profile_type IS NOT NULL),
        CONSTRAINT ck_whiteboard_sessions_participants
            CHECK (cardinality(participant_profile_ids) = cardinality(participant_profile_types)),
        CONSTRAINT ck_whiteboard_sessions_participant_profile_types
            CHECK (participant_profile_types <@ ARRAY['tutor', 'student', 'parent']::character varying[]),
        CONSTRAINT fk_whiteboard_sessions_booking_id
            FOREIGN KEY (booking_id) REFERENCES tutor_student_bookings (id),
        CONSTRAINT fk_whiteboard_sessions_schedule_id
            FOREIGN KEY (schedule_id) REFERENCES tutor_schedules (id)
    )
    """,
    "CREATE INDEX ix_whiteboard_sessions_booking_id ON whiteboard_sessions (booking_id, status)",
    "CREATE INDEX ix_whiteboard_sessions_schedule_id ON whiteboard_sessions (schedule_id)",
    "CREATE INDEX ix_whiteboard_sessions_status ON whiteboard_sessions (status, scheduled_start)",
    "CREATE INDEX ix_whiteboard_sessions_host ON whiteboard_sessions (host_profile_type, host_profile_id)",
    """
    CREATE INDEX ix_whiteboard_sessions_participants ON whiteboard_sessions
        USING gin (participant_profile_ids)
    """,
    """
    CREATE TABLE whiteboard_pages (
        id SERIAL,
        session_id INTEGER NOT NULL,
        page_number INTEGER NOT NULL DEFAULT 1,
        page_title VARCHAR(200),
        background_color VARCHAR(20) NOT NULL DEFAULT '#FFFFFF',
        background_image VARCHAR(500),
        is_active BOOLEAN NOT NULL DEFAULT false,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_whiteboard_pages PRIMARY KEY (id),
        CONSTRAINT uq_whiteboard_pages_session_id_page_number UNIQUE (session_id, page_number),
        CONSTRAINT fk_whiteboard_pages_session_id
            FOREIGN KEY (session_id) REFERENCES whiteboard_sessions (id) ON DELETE CASCADE
    )
    """,
    """
    CREATE TABLE whiteboard_canvas_data (
        id SERIAL,
        page_id INTEGER NOT NULL,
        session_id INTEGER NOT NULL,
        user_id INTEGER,
        stroke_type VARCHAR(50) NOT NULL,
        stroke_data JSONB NOT NULL,
        stroke_order INTEGER NOT NULL DEFAULT 0,
        is_deleted BOOLEAN NOT NULL DEFAULT false,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        profile_id INTEGER,
        profile_type VARCHAR(20),
        client_id VARCHAR,
        started_at TIMESTAMPTZ,
        ended_at TIMESTAMPTZ,
        deleted_at TIMESTAMPTZ,
        CONSTRAINT pk_whiteboard_canvas_data PRIMARY KEY (id),
        CONSTRAINT ck_whiteboard_canvas_data_stroke_type CHECK (stroke_type IN (
            'pen', 'eraser', 'line', 'rectangle', 'circle', 'triangle', 'arrow', 'text'
        )),
        CONSTRAINT ck_whiteboard_canvas_data_profile_type
            CHECK (profile_type IN ('tutor', 'student', 'parent')),
        CONSTRAINT fk_whiteboard_canvas_data_page_id
            FOREIGN KEY (page_id) REFERENCES whiteboard_pages (id) ON DELETE CASCADE,
        CONSTRAINT fk_whiteboard_canvas_data_session_id
            FOREIGN KEY (session_id) REFERENCES whiteboard_sessions (id) ON DELETE CASCADE,
        CONSTRAINT fk_whiteboard_canvas_data_user_id
            FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE SET NULL
    )
    """,
    """
    CREATE INDEX ix_whiteboard_canvas_data_page_id
        ON whiteboard_canvas_data (page_id, is_deleted, stroke_order, id)
    """,
    "CREATE INDEX ix_whiteboard_canvas_data_session_id ON whiteboard_canvas_data (session_id, created_at)",
    "CREATE INDEX ix_whiteboard_canvas_data_user_id ON whiteboard_canvas_data (user_id)",
    """
    CREATE UNIQUE INDEX uq_whiteboard_canvas_data_client_id ON whiteboard_canvas_data (page_id, client_id)
        WHERE client_id IS NOT NULL
    """,
    """
    CREATE TABLE whiteboard_events (
        id INTEGER GENERATED ALWAYS AS IDENTITY,
        session_id INTEGER NOT NULL,
        kind VARCHAR NOT NULL,
        profile_id INTEGER,
        profile_type VARCHAR,
        page_id INTEGER,
        at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_whiteboard_events PRIMARY KEY (id),
        CONSTRAINT ck_whiteboard_events_kind CHECK (kind IN ('join', 'leave', 'page', 'start', 'end')),
        CONSTRAINT ck_whiteboard_events_profile_type CHECK (profile_type IN ('tutor', 'student', 'parent')),
        CONSTRAINT ck_whiteboard_events_page CHECK (kind <> 'page' OR page_id IS NOT NULL),
        CONSTRAINT fk_whiteboard_events_session_id
            FOREIGN KEY (session_id) REFERENCES whiteboard_sessions (id) ON DELETE CASCADE,
        CONSTRAINT fk_whiteboard_events_page_id
            FOREIGN KEY (page_id) REFERENCES whiteboard_pages (id) ON DELETE CASCADE
    )
    """,
    "CREATE INDEX ix_whiteboard_events_session_id ON whiteboard_events (session_id, at, id)",
    "CREATE INDEX ix_whiteboard_events_page_id ON whiteboard_events (page_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE whiteboard_events, whiteboard_canvas_data, whiteboard_pages, whiteboard_sessions")
