"""Equal numbers of tutors and students."""

from typing import Any

import psycopg

_PEOPLE = (
    """
    INSERT INTO users (id, first_name, email)
    SELECT n, 'Person ' || n, n || '@example.org' FROM generate_series(1, 2 * %(pairs)s) n
    """,
    "INSERT INTO tutor_profiles (id, user_id) SELECT n, n FROM generate_series(1, %(pairs)s) n",
    "INSERT INTO student_profiles (id, user_id) SELECT n, %(pairs)s + n FROM generate_series(1, %(pairs)s) n",
)


def write_people(connection: psycopg.Connection[Any], pairs: int) -> None:
    """Insert tutors 1 to `pairs`, with the same user ids, and students 1 to `pairs`, whose user ids follow those."""
    for statement in _PEOPLE:
        connection.execute(statement, {"pairs": pairs})
