"""The role that reads the platform's database: what it may see, as statements for the database's owner to run."""

from collections.abc import Iterator, Sequence

from psycopg.sql import SQL, Composable, Identifier, Literal

from worker.platform.catalog import Column
from worker.platform.people_source import PEOPLE

# Tables that are read completely: lessons, boards and timetables hold nothing that the worker must not see.
TABLES = (
    "courses",
    "tutor_packages",
    "requested_sessions",
    "enrolled_courses",
    "sessions",
    "schedules",
    "whiteboard_sessions",
    "whiteboard_pages",
    "whiteboard_canvas_data",
    "whiteboard_session_recordings",
)
# The only columns that are read of other tables. `users.password_hash` is in no list.
_COLUMNS = (
    *PEOPLE,
    Column("users", "updated_at", "timestamp"),
    *(
        Column("enrolled_students", name, "text")
        for name in (
            "id",
            "tutor_id",
            "student_id",
            "package_id",
            "status",
            "agreed_price",
            "enrolled_at",
            "created_at",
        )
    ),
    *(
        Column("whiteboard_call_history", name, "text")
        for name in ("id", "initiated_at", "ended_at", "canvas_snapshot")
    ),
)
# The state of 2025 has other tables, and fewer columns of people.
_DOCUMENT_TABLES = (
    "session_requests",
    "tutor_student_bookings",
    "tutor_schedules",
    "tutor_student_enrollments",
    "whiteboard_sessions",
    "whiteboard_pages",
    "whiteboard_canvas_data",
    "whiteboard_session_recordings",
)
_DOCUMENT_PEOPLE = {
    "users": ("id", "first_name", "father_name", "email", "phone", "is_active", "created_at"),
    "tutor_profiles": ("id", "user_id", "is_active"),
    "student_profiles": ("id", "user_id", "grade_level", "parent_id"),
    "parent_profiles": ("id", "user_id", "is_active"),
}
_DOCUMENT_COLUMNS = tuple(Column(table, name, "text") for table, names in _DOCUMENT_PEOPLE.items() for name in names)


def grants(database: str, role: str, *, password: str | None = None, document: bool = False) -> Iterator[str]:
    """The statements that create `role` and let it read what the worker reads, in order.

    Without a password the statement has a placeholder to be replaced. `document`: for the platform's state of 2025.
    """
    secret = Literal(password if password is not None else "…")
    readable = (_DOCUMENT_COLUMNS, _DOCUMENT_TABLES) if document else (_COLUMNS, TABLES)
    for statement in (*_role(Identifier(role), secret), *_rights(Identifier(database), Identifier(role), *readable)):
        yield f"{statement.as_string()};"


def _role(role: Identifier, secret: Literal) -> Iterator[Composable]:
    yield SQL("CREATE ROLE {} LOGIN PASSWORD {} NOINHERIT CONNECTION LIMIT 20").format(role, secret)
    yield SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role)
    yield SQL("ALTER ROLE {} SET statement_timeout = '10s'").format(role)
    yield SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '10s'").format(role)


def _rights(
    database: Identifier, role: Identifier, columns: Sequence[Column], tables: Sequence[str]
) -> Iterator[Composable]:
    yield SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role)
    yield SQL("GRANT USAGE ON SCHEMA public TO {}").format(role)
    for table in dict.fromkeys(column.table for column in columns):
        names = [Identifier(column.name) for column in columns if column.table == table]
        yield SQL("GRANT SELECT ({}) ON {} TO {}").format(SQL(", ").join(names), Identifier(table), role)
    yield SQL("GRANT SELECT ON {} TO {}").format(SQL(", ").join(map(Identifier, tables)), role)
