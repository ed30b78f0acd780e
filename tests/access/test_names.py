"""A person's display name is the same in SQL and in Python."""

import pytest
from sqlalchemy import select

from models.people import StudentProfile
from models.people import User as Person
from worker.access.names import name_of, person_name
from worker.database import Database

NAMES = ("first_name", "father_name", "grandfather_name", "last_name")


@pytest.mark.parametrize(
    ("names", "username", "email", "shown"),
    [
        (("Liya", "Abebe", "Bekele", None), "liya7", "liya@example.org", "Liya Abebe Bekele"),
        (("Liya", None, None, "Smith"), None, None, "Liya Smith"),
        ((" Liya ", "", " ", None), None, None, "Liya"),
        ((None, "Abebe", None, None), "liya7", None, "Abebe"),
        ((None, None, None, None), " liya7 ", None, "liya7"),
        ((None, None, None, None), "liya7", "somebody@example.org", "liya7"),
        ((None, None, None, None), "Liya.Abebe", "liya.abebe@example.org", None),
        ((None, None, None, None), "liya", "liya.abebe@example.org", None),
        ((None, None, None, None), "liya@example.org", "liya@example.org", None),
        (("", " ", None, None), "", "liya@example.org", None),
        ((None, None, None, None), None, None, None),
        (("x" * 300, None, None, None), None, None, "x" * 255),
    ],
)
def test_a_name_is_shown_and_never_a_part_of_the_mail_address(
    database: Database, names: tuple[str | None, ...], username: str | None, email: str | None, shown: str | None
) -> None:
    with database.transaction() as session:
        person = Person(id=1, email=email, **dict(zip(NAMES, names, strict=True)))
        session.add(person)
        session.flush()
        student = StudentProfile(id=2, user_id=1, username=username)
        session.add(student)
        session.flush()

        by_sql = session.scalar(select(name_of(StudentProfile)).select_from(Person).join(StudentProfile))

        assert (by_sql, person_name(person, student)) == (shown, shown)
        if username is not None:
            alone = session.scalar(select(name_of()).select_from(Person))
            assert (alone, person_name(person)) == (shown if shown != username.strip() else None,) * 2
