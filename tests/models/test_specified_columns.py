"""Column names and types of the specification, written out: the platform's code and people's SQL rely on them."""

from collections.abc import Iterator

import psycopg
import pytest

from models.metadata import metadata

INTEGER, BIGINT, BOOLEAN, TEXT, JSON, JSONB = "integer", "bigint", "boolean", "text", "json", "jsonb"
DATE, TIME, INSTANT = "date", "time without time zone", "timestamp with time zone"
FLOAT, WORDS, IDS = "double precision", "character varying", "integer[]"


def varchar(length: int) -> str:
    return f"character varying({length})"


SPECIFIED = {
    "session_requests": {
        "id": INTEGER,
        "tutor_id": INTEGER,
        "requester_id": INTEGER,
        "requester_type": varchar(20),
        "package_name": varchar(255),
        "status": varchar(20),
        "student_name": varchar(255),
        "student_grade": varchar(50),
        "message": TEXT,
        "contact_phone": varchar(20),
        "contact_email": varchar(255),
        "created_at": INSTANT,
        "responded_at": INSTANT,
    },
    "tutor_student_bookings": {
        "id": INTEGER,
        "tutor_id": INTEGER,
        "student_id": INTEGER,
        "subject": varchar(200),
        "grade_level": varchar(100),
        "session_type": varchar(50),
        "sessions_per_week": INTEGER,
        "session_duration": INTEGER,
        "start_date": DATE,
        "end_date": DATE,
        "status": varchar(50),
        "price_per_session": "numeric(10,2)",
        "currency": varchar(10),
        "notes": TEXT,
        "created_at": INSTANT,
    },
    "tutor_schedules": {
        "id": INTEGER,
        "tutor_id": INTEGER,
        "schedule_date": DATE,
        "start_time": TIME,
        "end_time": TIME,
        "subject": varchar(100),
        "grade_level": varchar(50),
        "session_format": varchar(50),
        "student_id": INTEGER,
        "student_name": varchar(255),
        "meeting_link": varchar(500),
        "location": varchar(255),
        "status": varchar(50),
        "is_recurring": BOOLEAN,
        "recurrence_pattern": varchar(100),
        "notes": TEXT,
        "created_at": INSTANT,
        "timezone": WORDS,
        "starts_at": INSTANT,
        "ends_at": INSTANT,
        "series_id": INTEGER,
        "booking_id": INTEGER,
    },
    "tutor_student_enrollments": {
        "id": INTEGER,
        "tutor_id": INTEGER,
        "student_id": INTEGER,
        "subjects": JSON,
        "start_date": DATE,
        "end_date": DATE,
        "session_frequency": WORDS,
        "session_duration": INTEGER,
        "total_sessions_planned": INTEGER,
        "sessions_completed": INTEGER,
        "hourly_rate": FLOAT,
        "payment_status": WORDS,
        "total_paid": FLOAT,
        "status": WORDS,
        "is_active": BOOLEAN,
        "created_at": INSTANT,
    },
    "whiteboard_session_recordings": {
        "id": INTEGER,
        "session_id": INTEGER,
        "recording_title": varchar(255),
        "recording_type": varchar(50),
        "file_url": TEXT,
        "file_size_bytes": BIGINT,
        "duration_seconds": INTEGER,
        "thumbnail_url": TEXT,
        "board_snapshot": JSONB,
        "recording_metadata": JSONB,
        "recording_date": INSTANT,
        "is_processing": BOOLEAN,
        "is_available": BOOLEAN,
        "created_at": INSTANT,
    },
    "whiteboard_sessions": {
        "id": INTEGER,
        "session_title": varchar(300),
        "booking_id": INTEGER,
        "schedule_id": INTEGER,
        "scheduled_start": INSTANT,
        "actual_start": INSTANT,
        "status": varchar(50),
        "student_permissions": JSONB,
        "host_profile_id": INTEGER,
        "participant_profile_ids": IDS,
    },
    "whiteboard_pages": {"id": INTEGER, "session_id": INTEGER, "page_number": INTEGER},
    "whiteboard_canvas_data": {
        "id": INTEGER,
        "page_id": INTEGER,
        "session_id": INTEGER,
        "user_id": INTEGER,
        "stroke_type": varchar(50),
        "stroke_data": JSONB,
        "stroke_order": INTEGER,
        "is_deleted": BOOLEAN,
    },
    "users": {"id": INTEGER, "first_name": WORDS, "email": WORDS, "timezone": WORDS},
    "student_profiles": {"id": INTEGER, "user_id": INTEGER, "grade_level": WORDS, "parent_id": IDS},
}
REQUIRED_OF_PEOPLE = {
    "tutor_profiles": {"user_id"},
    "student_profiles": {"user_id"},
    "parent_profiles": {"user_id"},
}


@pytest.fixture
def catalog(database_url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(database_url) as connection:
        yield connection


@pytest.mark.parametrize("table", SPECIFIED)
def test_specified_columns_have_their_types(catalog: psycopg.Connection, table: str) -> None:
    rows = catalog.execute(
        "SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        (table,),
    )
    types: dict[str, str] = dict(rows.fetchall())

    assert {name: types.get(name) for name in SPECIFIED[table]} == SPECIFIED[table]


def test_only_a_persons_name_mail_and_user_are_required(catalog: psycopg.Connection) -> None:
    rows = catalog.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_name = ANY(%s)"
        " AND is_nullable = 'NO' AND column_default IS NULL",
        (list(REQUIRED_OF_PEOPLE),),
    )
    required: dict[str, set[str]] = {}
    for table, column in rows:
        required.setdefault(table, set()).add(column)

    assert required == REQUIRED_OF_PEOPLE


def test_every_time_column_has_a_zone(catalog: psycopg.Connection) -> None:
    rows = catalog.execute(
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND data_type = 'timestamp without time zone'"
    )

    assert rows.fetchall() == []


def test_every_foreign_key_is_indexed(catalog: psycopg.Connection) -> None:
    """An unindexed one makes every delete of its parent read the whole child table. Its first column is enough."""
    rows = catalog.execute(
        """
        SELECT k.conname FROM pg_constraint k
         WHERE k.contype = 'f' AND k.connamespace = 'public'::regnamespace AND NOT EXISTS (
               SELECT 1 FROM pg_index i
                WHERE i.indrelid = k.conrelid AND i.indpred IS NULL AND i.indkey[0] = k.conkey[1])
        """
    )

    assert rows.fetchall() == []


def test_the_legacy_table_says_so(catalog: psycopg.Connection) -> None:
    row = catalog.execute("SELECT obj_description('tutor_student_enrollments'::regclass)").fetchone()

    assert row is not None
    assert row[0].startswith("Legacy")


def test_metadata_knows_every_table(catalog: psycopg.Connection) -> None:
    rows = catalog.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")

    assert {name for (name,) in rows} - {"alembic_version"} == set(metadata.tables)
