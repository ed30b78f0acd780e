"""Requests, bookings, the legacy enrollments and the calendar, by the column names of the platform."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

TABLES = (
    """
    CREATE TABLE session_requests (
        id SERIAL,
        tutor_id INTEGER NOT NULL,
        requester_id INTEGER NOT NULL,
        requester_type VARCHAR(20) NOT NULL,
        package_name VARCHAR(255),
        status VARCHAR(20) NOT NULL DEFAULT 'pending',
        student_name VARCHAR(255),
        student_grade VARCHAR(50),
        message TEXT,
        contact_phone VARCHAR(20),
        contact_email VARCHAR(255),
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        responded_at TIMESTAMPTZ,
        CONSTRAINT pk_session_requests PRIMARY KEY (id),
        CONSTRAINT ck_session_requests_requester_type CHECK (requester_type IN ('student', 'parent')),
        CONSTRAINT ck_session_requests_status CHECK (status IN ('pending', 'accepted', 'rejected')),
        CONSTRAINT fk_session_requests_tutor_id FOREIGN KEY (tutor_id) REFERENCES tutor_profiles (id)
    )
    """,
    "CREATE INDEX ix_session_requests_tutor_id ON session_requests (tutor_id, status)",
    "CREATE INDEX ix_session_requests_requester ON session_requests (requester_type, requester_id)",
    """
    CREATE TABLE tutor_student_bookings (
        id SERIAL,
        tutor_id INTEGER NOT NULL,
        student_id INTEGER NOT NULL,
        subject VARCHAR(200),
        grade_level VARCHAR(100),
        session_type VARCHAR(50),
        sessions_per_week INTEGER,
        session_duration INTEGER,
        start_date DATE,
        end_date DATE,
        status VARCHAR(50) NOT NULL DEFAULT 'active',
        price_per_session NUMERIC(10, 2),
        currency VARCHAR(10) DEFAULT 'ETB',
        notes TEXT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_tutor_student_bookings PRIMARY KEY (id),
        CONSTRAINT ck_tutor_student_bookings_session_type
            CHECK (session_type IN ('online', 'in-person', 'hybrid')),
        CONSTRAINT ck_tutor_student_bookings_status
            CHECK (status IN ('active', 'paused', 'completed', 'cancelled')),
        CONSTRAINT fk_tutor_student_bookings_tutor_id
            FOREIGN KEY (tutor_id) REFERENCES tutor_profiles (id),
        CONSTRAINT fk_tutor_student_bookings_student_id
            FOREIGN KEY (student_id) REFERENCES student_profiles (id)
    )
    """,
    "CREATE INDEX ix_tutor_student_bookings_tutor_id ON tutor_student_bookings (tutor_id, status)",
    "CREATE INDEX ix_tutor_student_bookings_student_id ON tutor_student_bookings (student_id, status)",
    """
    CREATE TABLE tutor_student_enrollments (
        id SERIAL,
        tutor_id INTEGER NOT NULL,
        student_id INTEGER NOT NULL,
        subjects JSON,
        start_date DATE,
        end_date DATE,
        session_frequency VARCHAR,
        session_duration INTEGER,
        total_sessions_planned INTEGER,
        sessions_completed INTEGER DEFAULT 0,
        hourly_rate FLOAT,
        payment_status VARCHAR DEFAULT 'pending',
        total_paid FLOAT DEFAULT 0,
        status VARCHAR DEFAULT 'active',
        is_active BOOLEAN DEFAULT true,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_tutor_student_enrollments PRIMARY KEY (id),
        CONSTRAINT ck_tutor_student_enrollments_payment_status
            CHECK (payment_status IN ('pending', 'paid', 'overdue')),
        CONSTRAINT ck_tutor_student_enrollments_status CHECK (status IN ('active', 'paused', 'completed')),
        CONSTRAINT fk_tutor_student_enrollments_tutor_id
            FOREIGN KEY (tutor_id) REFERENCES tutor_profiles (id),
        CONSTRAINT fk_tutor_student_enrollments_student_id
            FOREIGN KEY (student_id) REFERENCES student_profiles (id)
    )
    """,
    "COMMENT ON TABLE tutor_student_enrollments IS 'Legacy: tutor_student_bookings is used instead.'",
    "CREATE INDEX ix_tutor_student_enrollments_tutor_id ON tutor_student_enrollments (tutor_id)",
    "CREATE INDEX ix_tutor_student_enrollments_student_id ON tutor_student_enrollments (student_id)",
    """
    CREATE TABLE tutor_schedules (
        id SERIAL,
        tutor_id INTEGER NOT NULL,
        schedule_date DATE NOT NULL,
        start_time TIME NOT NULL,
        end_time TIME NOT NULL,
        subject VARCHAR(100),
        grade_level VARCHAR(50),
        session_format VARCHAR(50),
        student_id INTEGER,
        student_name VARCHAR(255),
        meeting_link VARCHAR(500),
        location VARCHAR(255),
        status VARCHAR(50) NOT NULL DEFAULT 'scheduled',
        is_recurring BOOLEAN NOT NULL DEFAULT false,
        recurrence_pattern VARCHAR(100),
        notes TEXT,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        timezone VARCHAR,
        starts_at TIMESTAMPTZ,
        ends_at TIMESTAMPTZ,
        series_id INTEGER,
        booking_id INTEGER,
        CONSTRAINT pk_tutor_schedules PRIMARY KEY (id),
        CONSTRAINT ck_tutor_schedules_session_format
            CHECK (session_format IN ('online', 'in-person', 'hybrid')),
        CONSTRAINT ck_tutor_schedules_status
            CHECK (status IN ('scheduled', 'in_progress', 'completed', 'cancelled')),
        CONSTRAINT fk_tutor_schedules_tutor_id FOREIGN KEY (tutor_id) REFERENCES tutor_profiles (id),
        CONSTRAINT fk_tutor_schedules_student_id FOREIGN KEY (student_id) REFERENCES student_profiles (id),
        CONSTRAINT fk_tutor_schedules_booking_id
            FOREIGN KEY (booking_id) REFERENCES tutor_student_bookings (id)
    )
    """,
    "CREATE INDEX ix_tutor_schedules_tutor_id ON tutor_schedules (tutor_id, schedule_date)",
    "CREATE INDEX ix_tutor_schedules_student_id ON tutor_schedules (student_id, schedule_date)",
    "CREATE INDEX ix_tutor_schedules_series_id ON tutor_schedules (series_id)",
    "CREATE INDEX ix_tutor_schedules_booking_id ON tutor_schedules (booking_id)",
)


def upgrade() -> None:
    for statement in TABLES:
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP TABLE tutor_schedules, tutor_student_enrollments, tutor_student_bookings, session_requests")
