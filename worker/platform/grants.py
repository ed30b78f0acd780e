"""The role that reads the platform's database: what it may see, as statements for its owner to run."""

from collections.abc import Iterator

from psycopg.sql import SQL, Composable, Identifier, Literal

from worker.platform.catalog import Column
from worker.platform.people import PEOPLE

# Read whole: lessons, boards and timetables hold nothing that the bridge must not see.
_TABLES = (
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
# Of other tables these columns alone. `users.password_hash` is in no list.
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


def grants(database: str, role: str, *, password: str | None = None) -> Iterator[str]:
    """The statements that make `role` and let it read what the bridge reads, in order.

    Without a password the statement holds a placeholder to be replaced.
    """
    secret = Literal(password if password is not None else "…")
    for statement in (*_role(Identifier(role), secret), *_rights(Identifier(database), Identifier(role))):
        yield f"{statement.as_string()};"


def _role(role: Identifier, secret: Literal) -> Iterator[Composable]:
    yield SQL("CREATE ROLE {} LOGIN PASSWORD {} NOINHERIT CONNECTION LIMIT 20").format(role, secret)
    yield SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(role)
    yield SQL("ALTER ROLE {} SET statement_timeout = '10s'").format(role)
    yield SQL("ALTER ROLE {} SET idle_in_transaction_session_timeout = '10s'").format(role)


def _rights(database: Identifier, role: Identifier) -> Iterator[Composable]:
    yield SQL("GRANT CONNECT ON DATABASE {} TO {}").format(database, role)
    yield SQL("GRANT USAGE ON SCHEMA public TO {}").format(role)
    for table in dict.fromkeys(column.table for column in _COLUMNS):
        names = [Identifier(column.name) for column in _COLUMNS if column.table == table]
        yield SQL("GRANT SELECT ({}) ON {} TO {}").format(SQL(", ").join(names), Identifier(table), role)
    yield SQL("GRANT SELECT ON {} TO {}").format(SQL(", ").join(map(Identifier, _TABLES)), role)
