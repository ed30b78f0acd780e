"""A person's full name in its usual order, Ethiopian or international."""

from sqlalchemy import func

from models.people import User as Person

# The width of the columns that store a name.
LONGEST_NAME = 255

# The same as SQL, for queries that join `users`.
FULL_NAME = func.left(
    func.concat_ws(" ", Person.first_name, Person.father_name, Person.grandfather_name, Person.last_name),
    LONGEST_NAME,
)


def full_name(person: Person) -> str:
    """First name and, as far as known, father's and grandfather's (Ethiopian) or last name (international)."""
    parts = (person.first_name, person.father_name, person.grandfather_name, person.last_name)
    return " ".join(part.strip() for part in parts if part and part.strip())[:LONGEST_NAME]
