"""A person's display name: their own names, else the user name of their profile, else a generic word.

The only place that composes names, by one rule in SQL and in Python: whichever of first, father's, grandfather's and
last name are known, which suits Ethiopian and international names. A user name that is part of the e-mail is not shown.
"""

from typing import Any

from sqlalchemy import ColumnElement, String, literal_column

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person

# The width of the columns that store a name.
LONGEST_NAME = 255
# Shown where no name is known. Never stored, because messages use a word in the reader's language instead.
STUDENT = "Student"

_Profile = TutorProfile | StudentProfile | ParentProfile
_PARTS = ("first_name", "father_name", "grandfather_name", "last_name")


def name_sql(person: str, profile: str | None = None) -> str:
    """SQL for the name of the row `person` of `users`, whose `profile` has the user name; NULL where both are missing.

    Both are names or aliases of tables in our own statements.
    """
    parts = ", ".join(f"nullif(btrim({person}.{part}), '')" for part in _PARTS)
    names = f"nullif(concat_ws(' ', {parts}), '')"
    if profile is not None:
        user_name = f"nullif(btrim({profile}.username), '')"
        is_mail = f"strpos(lower(coalesce({person}.email, '')), lower({user_name})) > 0"
        names = f"coalesce({names}, CASE WHEN NOT {is_mail} THEN {user_name} END)"
    return f"left({names}, {LONGEST_NAME})"


def name_of(profile: type[_Profile] | None = None) -> ColumnElement[Any]:
    """`name_sql` as a column, for queries that join `users` and the profile without aliases."""
    return literal_column(name_sql(Person.__tablename__, profile.__tablename__ if profile else None), String)


def person_name(person: Person, profile: _Profile | None = None) -> str | None:
    """The same in Python: a person's name, else the user name of `profile`; None where both are missing."""
    parts = (person.first_name, person.father_name, person.grandfather_name, person.last_name)
    names = " ".join(part.strip(" ") for part in parts if part and part.strip(" "))
    user_name = (profile.username or "").strip(" ") if profile is not None else ""
    if not names and user_name.lower() not in (person.email or "").lower():
        names = user_name
    return names[:LONGEST_NAME] or None
