"""Rows written by hand: the minimum that works, the defaults, and what is refused."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import (
    CheckViolation,
    ForeignKeyViolation,
    NotNullViolation,
    RestrictViolation,
    UniqueViolation,
)

# The least that each table takes, in an order in which each finds its parents. Each table starts empty, so ids are 1.
LEAST = {
    "users": "(first_name, email) VALUES ('Abebe', 'abebe@example.com')",
    "tutor_profiles": "(user_id) VALUES (1)",
    "student_profiles": "(user_id) VALUES (1)",
    "parent_profiles": "(user_id) VALUES (1)",
    "session_requests": "(tutor_id, requester_id, requester_type) VALUES (1, 1, 'student')",
    "tutor_student_bookings": "(tutor_id, student_id) VALUES (1, 1)",
    "tutor_student_enrollments": "(tutor_id, student_id) VALUES (1, 1)",
    "schedule_series": "(tutor_id, has_students, schedule_date, start_time, end_time, timezone, rrule,"
    " recurrence_pattern)"
    " VALUES (1, true, '2025-01-30', '14:00', '15:00', 'Africa/Addis_Ababa', 'FREQ=DAILY', 'Every day')",
    "series_participants": "(series_id, student_id, booking_id) VALUES (1, 1, 1)",
    "tutor_schedules": "(tutor_id, schedule_date, start_time, end_time) VALUES (1, '2025-01-30', '14:00', '15:00');"
    # A participant's times are those of a lesson.
    " UPDATE tutor_schedules SET starts_at = '2025-01-30 11:00Z', ends_at = '2025-01-30 12:00Z'",
    "schedule_participants": "(schedule_id, student_id, starts_at, ends_at, status)"
    " SELECT id, 1, starts_at, ends_at, status FROM tutor_schedules",
    "schedule_skips": "(series_id, occurrence_date, reason) VALUES (1, '2025-02-03', 'excluded')",
    "timetable_entries": "(user_id, title, year, start_time, end_time, timezone)"
    " VALUES (1, 'Own study', 2025, '14:00', '15:00', 'Africa/Addis_Ababa')",
    "calendar_feeds": "(user_id, secret_hash) VALUES (1, 'f')",
    "jobs": "(kind) VALUES ('recordings.ingest')",
    "job_attempts": "(job_id, attempt, run_token, worker, started_at, outcome)"
    " SELECT id, 1, gen_random_uuid(), 'w1', now(), 'succeeded' FROM jobs",
    "job_actions": "(job_id, kind, action, state, actor) SELECT id, kind, 'retry', 'dead', 'cli:maria' FROM jobs",
    "idempotency_keys": "(principal, key, fingerprint, status, body) VALUES ('user:1', 'k', 'f', 202, '{}')",
    "whiteboard_sessions": "(booking_id) VALUES (1)",
    "whiteboard_pages": "(session_id) VALUES (1)",
    "whiteboard_canvas_data": "(page_id, session_id, stroke_type, stroke_data)"
    """ VALUES (1, 1, 'pen', '{"points": [[1, 2], [3, 4]]}')""",
    "whiteboard_events": "(session_id, kind) VALUES (1, 'start')",
    "whiteboard_session_recordings": "(session_id) VALUES (1)",
    "uploads": "(id, principal, session_id, spool_id, reserved) VALUES (repeat('a', 32), 'user:1', 1, 'shared', 1)",
    "recording_renditions": "(recording_id, name) VALUES (1, 'playback')",
    "recording_chapters": "(recording_id, origin, chapters) VALUES (1, 'automatic', '[]')",
    "recording_captions": "(recording_id, language, cues, bytes) VALUES (1, 'am', '[]', 8)",
    "recording_board_texts": "(recording_id, texts) VALUES (1, '[]')",
    "recording_shares": "(recording_id, secret_hash, expires_at) VALUES (1, 'f', now())",
    "whiteboard_snapshots": "(session_id, page_id, name, content_digest, object_name, file_id, bytes, mime)"
    " VALUES (1, 1, 'png', repeat('a', 64), 'x', 'f', 1, 'image/png')",
    "notification_preferences": "(user_id) VALUES (1)",
    "lesson_alarms": "(user_id, schedule_id, minutes_before) VALUES (1, 1, 15)",
    "notification_channels": "(user_id, kind, address, label) VALUES (1, 'email', 'x', 'a…@example.com')",
    "deliveries": "(kind, user_id, channel, key, due_at) VALUES ('test', 1, 'email', 'k', now())",
    "heartbeats": "(process, part) VALUES ('p', 'beat')",
    "provider_troubles": "(provider, since, last_at, reason) VALUES ('email:x', now(), now(), 'away')",
    "notifications": "(user_id, kind, title, message) VALUES (1, 'test', 'A test', 'It works.')",
    "limit_leases": "(id, name, who, size, expires_at) VALUES (gen_random_uuid(), 'uploads', 'user:1', 1, now())",
    "limit_counters": "(rate, who, free_at) VALUES ('requests', 'user:1', now())",
    "operator_accesses": "(admin_id, action, address) VALUES (3, 'GET /v1/jobs', '/v1/jobs')",
    "platform_links": "(kind, platform_id, digest) VALUES ('lesson', 81, '')",
    "platform_refusals": "(kind, platform_id, code, is_refused, reason, remedy)"
    " VALUES ('lesson', 86, 'tutor-busy', true, 'tutor busy (85)', 'Move one of the two.')",
    "platform_pulls": "(kind) VALUES ('lesson')",
}
PROFILES = ("tutor", "student", "parent")
FORMATS = ("online", "in-person", "hybrid")
MESSAGES = (
    *("lesson-reminder", "lesson-moved", "lesson-cancelled", "lesson-restored", "lesson-booked", "entry-reminder"),
    *("request-received", "request-accepted", "request-rejected", "recording-ready", "recording-failed"),
    *("booking-offered", "booking-accepted", "booking-ended"),
    *("channel-code", "channel-disabled", "test"),
)
WORDS = {
    ("session_requests", "requester_type"): ("student", "parent"),
    ("session_requests", "status"): ("pending", "accepted", "rejected"),
    ("tutor_student_bookings", "session_type"): FORMATS,
    ("tutor_student_bookings", "status"): ("pending", "active", "paused", "completed", "cancelled", "declined"),
    ("tutor_student_enrollments", "payment_status"): ("pending", "paid", "overdue"),
    ("tutor_student_enrollments", "status"): ("active", "paused", "completed"),
    ("tutor_schedules", "session_format"): FORMATS,
    ("tutor_schedules", "status"): ("scheduled", "completed", "cancelled", "in_progress"),
    ("tutor_schedules", "cancelled_by"): ("person", "series"),
    ("tutor_schedules", "attendance"): ("unknown", "held", "missed"),
    ("timetable_entries", "role"): PROFILES,
    ("timetable_entries", "priority_level"): ("low", "medium", "high", "urgent", "important"),
    ("timetable_entries", "schedule_type"): ("recurring", "specific"),
    ("timetable_entries", "status"): ("active", "draft", "completed", "cancelled"),
    ("schedule_series", "session_format"): FORMATS,
    ("schedule_series", "status"): ("active", "paused", "completed", "cancelled"),
    ("schedule_skips", "reason"): ("excluded", "tutor-busy", "student-busy"),
    ("whiteboard_sessions", "status"): ("scheduled", "in_progress", "completed", "cancelled"),
    ("whiteboard_sessions", "host_profile_type"): ("tutor", "student"),
    ("whiteboard_sessions", "opener_profile_type"): ("tutor", "student"),
    ("whiteboard_canvas_data", "stroke_type"): (
        *("pen", "eraser", "line", "rectangle", "circle", "triangle", "arrow", "text"),
    ),
    ("whiteboard_canvas_data", "profile_type"): PROFILES,
    ("whiteboard_events", "kind"): ("join", "leave", "start", "end"),
    ("whiteboard_events", "profile_type"): PROFILES,
    ("whiteboard_session_recordings", "recording_type"): ("video", "screen", "board"),
    # `pdf` is of no page: it has a test of its own.
    ("whiteboard_snapshots", "name"): ("png", "png_2x", "thumbnail", "svg"),
    ("notification_preferences", "calendar"): ("gregorian", "ethiopian"),
    ("notification_channels", "kind"): ("email", "webhook", "apprise"),
    ("deliveries", "kind"): MESSAGES,
    ("deliveries", "state"): ("pending", "sending", "sent", "dropped", "cancelled", "failed"),
    ("notifications", "kind"): MESSAGES,
    # `ready` needs an object, and the states of a job their times: they have tests of their own.
    ("recording_renditions", "state"): ("pending", "failed"),
    ("recording_chapters", "origin"): ("automatic", "tutor"),
    ("uploads", "state"): ("open", "finished", "recovered", "terminated"),
    ("uploads", "recording_type"): ("video", "screen", "board"),
    ("jobs", "state"): ("queued", "published", "retryable"),
    ("job_attempts", "outcome"): (),
    ("job_actions", "action"): ("retry", "cancel", "purge"),
    ("job_actions", "state"): (
        *("queued", "published", "running", "retryable", "succeeded", "failed", "cancelled", "dead"),
    ),
}

Connection = psycopg.Connection[tuple[Any, ...]]


@pytest.fixture
def lesson(database_url: str) -> Iterator[Connection]:
    """A connection to a database with the least row in every table."""
    with psycopg.connect(database_url, autocommit=True) as connection:
        for table, row in LEAST.items():
            connection.execute(f"INSERT INTO {table} {row}")
        yield connection


def one(connection: Connection, query: str) -> Any:
    row = connection.execute(query).fetchone()
    assert row is not None
    return row if len(row) > 1 else row[0]


def count(connection: Connection, table: str) -> int:
    rows: int = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchall()[0][0]
    return rows


def write(connection: Connection, table: str, column: str, word: str) -> None:
    statement = sql.SQL("UPDATE {} SET {} = %s").format(sql.Identifier(table), sql.Identifier(column))
    connection.execute(statement, (word,))


def test_the_least_row_of_every_table_is_taken(lesson: Connection) -> None:
    tables = lesson.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )

    # The row of `installation` is made with its table.
    assert {name for (name,) in tables} - {"alembic_version", "installation"} == set(LEAST)
    assert {table: count(lesson, table) for table in LEAST} == dict.fromkeys(LEAST, 1)


def test_defaults(lesson: Connection) -> None:
    assert one(lesson, "SELECT language, timezone, is_active FROM users") == ("en", None, True)
    assert one(lesson, "SELECT parent_id, is_active FROM student_profiles") == ([], True)
    assert one(lesson, "SELECT status FROM session_requests") == "pending"
    assert one(lesson, "SELECT status, currency FROM tutor_student_bookings") == ("active", "ETB")
    assert one(lesson, "SELECT status, is_recurring FROM tutor_schedules") == ("scheduled", False)
    assert one(lesson, "SELECT status, is_recording, student_permissions FROM whiteboard_sessions") == (
        "scheduled",
        False,
        {"can_draw": False, "can_erase": False, "can_write": False},
    )
    assert one(lesson, "SELECT page_number, background_color, is_active FROM whiteboard_pages") == (
        *(1, "#FFFFFF", False),
    )
    assert one(lesson, "SELECT is_deleted FROM whiteboard_canvas_data") is False
    assert one(lesson, "SELECT recording_type, is_processing, is_available FROM whiteboard_session_recordings") == (
        "video",
        False,
        False,
    )
    assert one(lesson, "SELECT state FROM recording_renditions") == "pending"


def test_the_specifications_own_examples_are_taken(lesson: Connection) -> None:
    lesson.execute(
        "INSERT INTO tutor_schedules (tutor_id, schedule_date, start_time, end_time, subject, grade_level,"
        " session_format, student_id, student_name, meeting_link, status, is_recurring, recurrence_pattern, notes)"
        " VALUES (1, '2025-01-30', '14:00', '15:00', 'Mathematics', 'Grade 9', 'online', 1, 'John Doe',"
        " 'https://meet.example/x', 'scheduled', true, 'every Monday', 'bring a ruler')"
    )
    lesson.execute(
        "INSERT INTO tutor_student_enrollments (tutor_id, student_id, subjects, hourly_rate, total_paid)"
        """ VALUES (1, 1, '["Math", "Physics"]', 120.5, 0)"""
    )
    lesson.execute(
        "INSERT INTO tutor_student_bookings (tutor_id, student_id, subject, grade_level, session_type,"
        " sessions_per_week, session_duration, start_date, status, price_per_session, currency)"
        " VALUES (1, 1, 'Mathematics', 'Grade 9', 'online', 3, 60, '2024-08-15', 'active', 250.00, 'ETB')"
    )
    lesson.execute(
        "INSERT INTO whiteboard_session_recordings (session_id, recording_title, recording_type, file_url,"
        " file_size_bytes, duration_seconds, thumbnail_url, board_snapshot, recording_metadata, recording_date,"
        " is_processing, is_available) VALUES (1, 'Lesson', 'screen', 'https://b2.example/f', 5000000000, 3600,"
        """ 'https://b2.example/t', '{"pages": []}', '{"codec": "vp8"}', now(), false, true)"""
    )


def test_the_children_of_a_parent_are_found(lesson: Connection) -> None:
    lesson.execute("UPDATE student_profiles SET parent_id = '{7, 9}'")

    assert one(lesson, "SELECT id FROM student_profiles WHERE parent_id @> ARRAY[9]") == 1
    assert one(lesson, "SELECT count(*) FROM student_profiles WHERE parent_id @> ARRAY[8]") == 0


def test_every_words_column_is_in_this_tests_list(lesson: Connection) -> None:
    checked = lesson.execute(
        r"""
        SELECT c.relname, a.attname FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
          JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
         WHERE k.contype = 'c' AND cardinality(k.conkey) = 1
           AND pg_get_constraintdef(k.oid) LIKE '%= ANY%ARRAY[%'
        """
    )

    assert set(checked) == set(WORDS)


@pytest.mark.parametrize(("table", "column"), WORDS)
def test_words(lesson: Connection, table: str, column: str) -> None:
    for word in WORDS[table, column]:
        write(lesson, table, column, word)

    if table == "job_attempts":
        with pytest.raises(CheckViolation, match=f"ck_{table}_{column}"):
            lesson.execute(f"INSERT INTO {table} {LEAST[table].replace('succeeded', 'fine')}")
        return
    # `in-progress` is the platform's other spelling.
    for wrong in ("", "in-progress", "Pending"):
        with pytest.raises(CheckViolation, match=f"ck_{table}_{column}"):
            write(lesson, table, column, wrong)


def test_job_attempts_cannot_be_rewritten(lesson: Connection) -> None:
    with pytest.raises(RestrictViolation, match="append-only"):
        lesson.execute("UPDATE job_attempts SET outcome = 'failed'")

    assert one(lesson, "SELECT outcome FROM job_attempts") == "succeeded"
    lesson.execute("DELETE FROM jobs")
    assert count(lesson, "job_attempts") == 0


def test_a_job_runs_with_a_token_and_ends_with_a_time(lesson: Connection) -> None:
    for wrong in (
        "UPDATE jobs SET state = 'running'",
        "UPDATE jobs SET state = 'succeeded'",
        "UPDATE jobs SET finished_at = now()",
        "UPDATE jobs SET progress = 101",
    ):
        with pytest.raises(CheckViolation):
            lesson.execute(wrong)

    lesson.execute("UPDATE jobs SET state = 'running', run_token = gen_random_uuid()")
    lesson.execute("UPDATE jobs SET state = 'succeeded', run_token = NULL, finished_at = now(), progress = 100")


def test_tutor_and_student_are_profiles(lesson: Connection) -> None:
    lesson.execute("INSERT INTO users (first_name, email) VALUES ('Hana', 'hana@example.com')")

    for columns in ("(tutor_id, student_id) VALUES (2, 1)", "(tutor_id, student_id) VALUES (1, 2)"):
        with pytest.raises(ForeignKeyViolation):
            lesson.execute(f"INSERT INTO tutor_student_bookings {columns}")


def test_a_user_with_a_profile_stays(lesson: Connection) -> None:
    with pytest.raises(ForeignKeyViolation):
        lesson.execute("DELETE FROM users")


def test_a_session_with_recordings_stays(lesson: Connection) -> None:
    """Its objects on B2 would lose the rows that name them."""
    with pytest.raises((RestrictViolation, ForeignKeyViolation)):
        lesson.execute("DELETE FROM whiteboard_sessions")

    lesson.execute("DELETE FROM whiteboard_session_recordings")
    lesson.execute("DELETE FROM whiteboard_sessions")

    whiteboard = ("pages", "canvas_data", "events", "snapshots")
    tables = ("recording_renditions", *(f"whiteboard_{table}" for table in whiteboard))
    assert {table: count(lesson, table) for table in tables} == dict.fromkeys(tables, 0)
    # Who looked at it is known for longer than the recording, and than the board.
    assert count(lesson, "operator_accesses") == 1


def test_a_page_has_one_file_of_a_kind_and_a_board_one_document(lesson: Connection) -> None:
    insert = (
        "INSERT INTO whiteboard_snapshots"
        " (session_id, page_id, name, content_digest, object_name, file_id, bytes, mime)"
        " VALUES (1, %s, %s, repeat('b', 64), %s, 'f', 1, 'x')"
    )
    lesson.execute(insert, (1, "svg", "y"))
    lesson.execute(insert, (None, "pdf", "z"))
    for page_id, name in ((1, "png"), (None, "pdf")):
        with pytest.raises(UniqueViolation):
            lesson.execute(insert, (page_id, name, "other"))
    for page_id, name in ((None, "png"), (1, "pdf")):
        with pytest.raises(CheckViolation):
            lesson.execute(insert, (page_id, name, "other"))
    with pytest.raises(UniqueViolation):
        lesson.execute(insert, (1, "thumbnail", "x"))

    lesson.execute("DELETE FROM whiteboard_pages")
    assert one(lesson, "SELECT name FROM whiteboard_snapshots") == "pdf"


def test_recordings_and_strokes_outlive_the_job_and_the_account(lesson: Connection) -> None:
    lesson.execute("INSERT INTO users (id, first_name, email) VALUES (50, 'Hana', 'hana@example.com')")
    lesson.execute("UPDATE whiteboard_session_recordings SET recorded_by = 50, job_id = (SELECT id FROM jobs)")
    lesson.execute("UPDATE whiteboard_canvas_data SET user_id = 50")

    lesson.execute("DELETE FROM jobs")
    lesson.execute("DELETE FROM users WHERE id = 50")

    assert one(lesson, "SELECT recorded_by, job_id FROM whiteboard_session_recordings") == (None, None)
    assert one(lesson, "SELECT user_id FROM whiteboard_canvas_data") is None


SOURCE = (
    "INSERT INTO whiteboard_session_recordings (session_id, recording_type, source_sha1, is_processing, is_available)"
)


def test_the_same_bytes_are_one_live_recording_of_a_session_and_type(lesson: Connection) -> None:
    sha1 = "0123456789abcdef0123456789abcdef01234567"
    lesson.execute(f"{SOURCE} VALUES (1, 'video', %s, true, false)", (sha1,))

    for live in ("true, false", "false, true", "true, true"):
        with pytest.raises(UniqueViolation, match="uq_recordings_live_source"):
            lesson.execute(f"{SOURCE} VALUES (1, 'video', %s, {live})", (sha1,))
    lesson.execute(f"{SOURCE} VALUES (1, 'screen', %s, true, false)", (sha1,))
    lesson.execute("INSERT INTO whiteboard_sessions DEFAULT VALUES")
    lesson.execute(f"{SOURCE} VALUES (2, 'video', %s, true, false)", (sha1,))

    # A failed one does not stand in the way of another try, however often.
    lesson.execute("UPDATE whiteboard_session_recordings SET is_processing = false")
    for _ in range(2):
        lesson.execute(f"{SOURCE} VALUES (1, 'video', %s, false, false)", (sha1,))
    lesson.execute(f"{SOURCE} VALUES (1, 'video', %s, true, false)", (sha1,))


def test_a_source_is_forty_hex_digits(lesson: Connection) -> None:
    for wrong in ("", "0123", "0123456789ABCDEF0123456789ABCDEF01234567"):
        with pytest.raises(CheckViolation):
            lesson.execute(f"{SOURCE} VALUES (1, 'video', %s, true, false)", (wrong,))


def test_a_spool_file_has_a_spool(lesson: Connection) -> None:
    with pytest.raises(CheckViolation):
        lesson.execute("UPDATE whiteboard_session_recordings SET spool_name = 'a.webm'")

    lesson.execute("UPDATE whiteboard_session_recordings SET spool_name = 'a.webm', spool_id = 'shared'")


def test_renditions_are_named_once_and_ready_with_an_object(lesson: Connection) -> None:
    with pytest.raises(UniqueViolation):
        lesson.execute("INSERT INTO recording_renditions (recording_id, name) VALUES (1, 'playback')")
    with pytest.raises(CheckViolation):
        lesson.execute("UPDATE recording_renditions SET state = 'ready'")

    lesson.execute("UPDATE recording_renditions SET state = 'ready', object_name = 'videos/1'")
    with pytest.raises(UniqueViolation):
        lesson.execute("INSERT INTO recording_renditions (recording_id, name, object_name) VALUES (1, 'x', 'videos/1')")


def test_a_stroke_sent_twice_is_stored_once(lesson: Connection) -> None:
    stroke = "INSERT INTO whiteboard_canvas_data (page_id, session_id, stroke_type, stroke_data, client_id)"
    lesson.execute("INSERT INTO whiteboard_pages (session_id, page_number) VALUES (1, 2)")
    lesson.execute(f"{stroke} VALUES (1, 1, 'pen', '{{}}', 'a'), (2, 1, 'pen', '{{}}', 'a')")

    with pytest.raises(UniqueViolation):
        lesson.execute(f"{stroke} VALUES (1, 1, 'pen', '{{}}', 'a')")

    # The platform's rows have no client_id, and may share an order.
    lesson.execute(f"{stroke} VALUES (1, 1, 'pen', '{{}}', NULL), (1, 1, 'pen', '{{}}', NULL)")


def test_page_numbers_are_unique_in_a_session(lesson: Connection) -> None:
    with pytest.raises(UniqueViolation):
        lesson.execute("INSERT INTO whiteboard_pages (session_id) VALUES (1)")


def test_participants_are_typed_one_by_one(lesson: Connection) -> None:
    for wrong in (
        "UPDATE whiteboard_sessions SET participant_profile_ids = '{1}'",
        "UPDATE whiteboard_sessions SET participant_profile_ids = '{1}', participant_profile_types = '{admin}'",
        "UPDATE whiteboard_sessions SET host_profile_id = 1",
        "UPDATE whiteboard_sessions SET opener_profile_id = 1",
    ):
        with pytest.raises(CheckViolation):
            lesson.execute(wrong)

    lesson.execute(
        "UPDATE whiteboard_sessions SET host_profile_id = 1, host_profile_type = 'tutor',"
        " participant_profile_ids = '{1, 2}', participant_profile_types = '{student,parent}'"
    )


def test_a_page_event_names_its_page(lesson: Connection) -> None:
    with pytest.raises(CheckViolation):
        lesson.execute("INSERT INTO whiteboard_events (session_id, kind) VALUES (1, 'page')")

    lesson.execute("INSERT INTO whiteboard_events (session_id, kind, page_id) VALUES (1, 'page', 1)")


def test_a_request_needs_its_people(lesson: Connection) -> None:
    with pytest.raises(NotNullViolation):
        lesson.execute("INSERT INTO session_requests (tutor_id, requester_type) VALUES (1, 'student')")
