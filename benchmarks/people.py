"""Tutors and students, in equal number."""

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
    """Tutors 1 to `pairs` are the users with these ids, students 1 to `pairs` the users that follow."""
    for statement in _PEOPLE:
        connection.execute(statement, {"pairs": pairs})
