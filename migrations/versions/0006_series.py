"""Series, participants, skips and calendar feeds; requests and bookings get the requested times.

No lesson can overlap another of its tutor or of one of its students: the database refuses it.
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_TAKES_TIME = """student_id IS NOT NULL AND starts_at IS NOT NULL AND ends_at IS NOT NULL
                AND status IN ('scheduled', 'in_progress')"""

STEPS = (
    "CREATE EXTENSION IF NOT EXISTS btree_gist",
    """
    CREATE TABLE schedule_series (
        id SERIAL,
        tutor_id INTEGER NOT NULL,
        has_students BOOLEAN NOT NULL,
        package_name VARCHAR(255),
        schedule_date DATE NOT NULL,
        start_time TIME NOT NULL,
        end_time TIME NOT NULL,
        timezone VARCHAR NOT NULL,
        rrule TEXT,
        dates DATE[],
        recurrence_pattern TEXT NOT NULL,
        subject VARCHAR(100),
        grade_level VARCHAR(50),
        session_format VARCHAR(50),
        meeting_link VARCHAR(500),
        location VARCHAR(255),
        notes TEXT,
        status VARCHAR(20) NOT NULL DEFAULT 'active',
        expanded_until DATE,
        split_from_id INTEGER,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_schedule_series PRIMARY KEY (id),
        CONSTRAINT ck_schedule_series_session_format
            CHECK (session_format IN ('online', 'in-person', 'hybrid')),
        CONSTRAINT ck_schedule_series_status CHECK (status IN ('active', 'paused', 'completed', 'cancelled')),
        CONSTRAINT ck_schedule_series_rule CHECK ((rrule IS NULL) <> (dates IS NULL)),
        CONSTRAINT fk_schedule_series_tutor_id FOREIGN KEY (tutor_id) REFERENCES tutor_profiles (id),
        CONSTRAINT fk_schedule_series_split_from_id FOREIGN KEY (split_from_id) REFERENCES schedule_series (id)
    )
    """,
    "CREATE INDEX ix_schedule_series_tutor_id ON schedule_series (tutor_id, status)",
    "CREATE INDEX ix_schedule_series_due ON schedule_series (expanded_until) WHERE status = 'active'",
    "CREATE INDEX ix_schedule_series_split_from_id ON schedule_series (split_from_id)",
    """
    CREATE TABLE series_participants (
        series_id INTEGER NOT NULL,
        student_id INTEGER NOT NULL,
        booking_id INTEGER NOT NULL,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_series_participants PRIMARY KEY (series_id, student_id),
        CONSTRAINT fk_series_participants_series_id
            FOREIGN KEY (series_id) REFERENCES schedule_series (id) ON DELETE CASCADE,
        CONSTRAINT fk_series_participants_student_id FOREIGN KEY (student_id) REFERENCES student_profiles (id),
        CONSTRAINT fk_series_participants_booking_id
            FOREIGN KEY (booking_id) REFERENCES tutor_student_bookings (id)
    )
    """,
    "CREATE INDEX ix_series_participants_student_id ON series_participants (student_id)",
    "CREATE INDEX ix_series_participants_booking_id ON series_participants (booking_id)",
    # There was no table of series: the column referred to nothing.
    "UPDATE tutor_schedules SET series_id = NULL WHERE series_id IS NOT NULL",
    "DROP INDEX ix_tutor_schedules_series_id",
    f"""
    ALTER TABLE tutor_schedules
        ADD COLUMN occurrence_date DATE,
        ADD COLUMN is_override BOOLEAN NOT NULL DEFAULT false,
        ADD COLUMN booked_at TIMESTAMPTZ,
        ADD COLUMN cancelled_by VARCHAR(20),
        ADD COLUMN attendance VARCHAR(20) NOT NULL DEFAULT 'unknown',
        ADD COLUMN tzdata_version VARCHAR(20),
        ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0,
        ADD COLUMN updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        ADD CONSTRAINT ck_tutor_schedules_cancelled_by CHECK (cancelled_by IN ('person', 'series')),
        ADD CONSTRAINT ck_tutor_schedules_attendance CHECK (attendance IN ('unknown', 'held', 'missed')),
        ADD CONSTRAINT ck_tutor_schedules_instants
            CHECK ((starts_at IS NULL) = (ends_at IS NULL) AND ends_at > starts_at),
        ADD CONSTRAINT ck_tutor_schedules_occurrence CHECK ((series_id IS NULL) = (occurrence_date IS NULL)),
        ADD CONSTRAINT uq_tutor_schedules_series_id_occurrence_date UNIQUE (series_id, occurrence_date),
        ADD CONSTRAINT uq_tutor_schedules_id_starts_at_ends_at_status UNIQUE (id, starts_at, ends_at, status),
        ADD CONSTRAINT ex_tutor_schedules_tutor_id EXCLUDE USING gist
            (tutor_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE ({_TAKES_TIME}),
        ADD CONSTRAINT ex_tutor_schedules_student_id EXCLUDE USING gist
            (student_id WITH =, tstzrange(starts_at, ends_at) WITH &&) WHERE ({_TAKES_TIME}),
        ADD CONSTRAINT fk_tutor_schedules_series_id FOREIGN KEY (series_id) REFERENCES schedule_series (id)
    """,
    """
    CREATE INDEX ix_tutor_schedules_live ON tutor_schedules (starts_at)
        WHERE student_id IS NOT NULL AND status IN ('scheduled', 'in_progress')
    """,
    "CREATE INDEX ix_tutor_schedules_by_hand ON tutor_schedules (id) WHERE starts_at IS NULL",
    """
    CREATE TABLE schedule_participants (
        schedule_id INTEGER NOT NULL,
        student_id INTEGER NOT NULL,
        booking_id INTEGER,
        starts_at TIMESTAMPTZ NOT NULL,
        ends_at TIMESTAMPTZ NOT NULL,
        status VARCHAR(50) NOT NULL,
        CONSTRAINT pk_schedule_participants PRIMARY KEY (schedule_id, student_id),
        CONSTRAINT ex_schedule_participants_student_id EXCLUDE USING gist
            (student_id WITH =, tstzrange(starts_at, ends_at) WITH &&)
            WHERE (status IN ('scheduled', 'in_progress')),
        CONSTRAINT fk_schedule_participants_schedule_id FOREIGN KEY (schedule_id, starts_at, ends_at, status)
            REFERENCES tutor_schedules (id, starts_at, ends_at, status) ON UPDATE CASCADE ON DELETE CASCADE,
        CONSTRAINT fk_schedule_participants_student_id FOREIGN KEY (student_id) REFERENCES student_profiles (id),
        CONSTRAINT fk_schedule_participants_booking_id
            FOREIGN KEY (booking_id) REFERENCES tutor_student_bookings (id)
    )
    """,
    "CREATE INDEX ix_schedule_participants_student_id ON schedule_participants (student_id, starts_at)",
    "CREATE INDEX ix_schedule_participants_booking_id ON schedule_participants (booking_id)",
    # Lessons that already have instants and a student get a participant like any other.
    """
    INSERT INTO schedule_participants (schedule_id, student_id, booking_id, starts_at, ends_at, status)
    SELECT id, student_id, booking_id, starts_at, ends_at, status FROM tutor_schedules
     WHERE student_id IS NOT NULL AND starts_at IS NOT NULL
    """,
    """
    CREATE TABLE schedule_skips (
        id SERIAL,
        series_id INTEGER NOT NULL,
        occurrence_date DATE NOT NULL,
        student_id INTEGER,
        reason VARCHAR(20) NOT NULL,
        schedule_id INTEGER,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_schedule_skips PRIMARY KEY (id),
        CONSTRAINT ck_schedule_skips_reason CHECK (reason IN ('excluded', 'tutor-busy', 'student-busy')),
        CONSTRAINT uq_schedule_skips_series_id_occurrence_date_student_id
            UNIQUE NULLS NOT DISTINCT (series_id, occurrence_date, student_id),
        CONSTRAINT fk_schedule_skips_series_id
            FOREIGN KEY (series_id) REFERENCES schedule_series (id) ON DELETE CASCADE,
        CONSTRAINT fk_schedule_skips_student_id FOREIGN KEY (student_id) REFERENCES student_profiles (id),
        CONSTRAINT fk_schedule_skips_schedule_id
            FOREIGN KEY (schedule_id) REFERENCES tutor_schedules (id) ON DELETE SET NULL
    )
    """,
    "CREATE INDEX ix_schedule_skips_student_id ON schedule_skips (student_id)",
    "CREATE INDEX ix_schedule_skips_schedule_id ON schedule_skips (schedule_id)",
    """
    CREATE TABLE calendar_feeds (
        user_id INTEGER NOT NULL,
        secret_hash VARCHAR(64) NOT NULL,
        created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
        CONSTRAINT pk_calendar_feeds PRIMARY KEY (user_id),
        CONSTRAINT uq_calendar_feeds_secret_hash UNIQUE (secret_hash),
        CONSTRAINT fk_calendar_feeds_user_id FOREIGN KEY (user_id) REFERENCES users (id) ON DELETE CASCADE
    )
    """,
    """
    ALTER TABLE session_requests
        ADD COLUMN student_id INTEGER,
        ADD COLUMN schedule JSONB,
        ADD COLUMN booking_id INTEGER,
        ADD CONSTRAINT fk_session_requests_student_id FOREIGN KEY (student_id) REFERENCES student_profiles (id),
        ADD CONSTRAINT fk_session_requests_booking_id
            FOREIGN KEY (booking_id) REFERENCES tutor_student_bookings (id)
    """,
    "CREATE INDEX ix_session_requests_student_id ON session_requests (student_id)",
    "CREATE INDEX ix_session_requests_booking_id ON session_requests (booking_id)",
    """
    ALTER TABLE tutor_student_bookings
        ADD COLUMN package_name VARCHAR(255),
        ADD COLUMN enrollment_id INTEGER,
        ADD CONSTRAINT uq_tutor_student_bookings_enrollment_id_subject UNIQUE (enrollment_id, subject),
        ADD CONSTRAINT fk_tutor_student_bookings_enrollment_id
            FOREIGN KEY (enrollment_id) REFERENCES tutor_student_enrollments (id)
    """,
)

BACK = (
    """
    ALTER TABLE tutor_student_bookings DROP COLUMN package_name, DROP COLUMN enrollment_id
    """,
    "ALTER TABLE session_requests DROP COLUMN student_id, DROP COLUMN schedule, DROP COLUMN booking_id",
    "DROP TABLE calendar_feeds, schedule_skips, schedule_participants",
    """
    ALTER TABLE tutor_schedules
        DROP CONSTRAINT fk_tutor_schedules_series_id,
        DROP CONSTRAINT ex_tutor_schedules_student_id,
        DROP CONSTRAINT ex_tutor_schedules_tutor_id,
        DROP CONSTRAINT uq_tutor_schedules_id_starts_at_ends_at_status,
        DROP CONSTRAINT ck_tutor_schedules_instants,
        DROP COLUMN occurrence_date,
        DROP COLUMN is_override,
        DROP COLUMN booked_at,
        DROP COLUMN cancelled_by,
        DROP COLUMN attendance,
        DROP COLUMN tzdata_version,
        DROP COLUMN sequence,
        DROP COLUMN updated_at
    """,
    "DROP INDEX ix_tutor_schedules_live, ix_tutor_schedules_by_hand",
    "CREATE INDEX ix_tutor_schedules_series_id ON tutor_schedules (series_id)",
    "DROP TABLE series_participants, schedule_series",
    "DROP EXTENSION btree_gist",
)


def upgrade() -> None:
    for step in STEPS:
        op.execute(step)


def downgrade() -> None:
    for step in BACK:
        op.execute(step)
