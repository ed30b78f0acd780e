"""The ids under which a person's rows are found: the account's and those of all its profiles, inactive ones too."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import PROFILE_TABLES, User
from worker.errors import NotFound


@dataclass(frozen=True)
class PersonIds:
    """A user and their tutor, student and parent profiles."""

    user_id: int
    tutors: tuple[int, ...]
    students: tuple[int, ...]
    parents: tuple[int, ...]

    @property
    def principal(self) -> str:
        """The name that the ledger keeps."""
        return f"user:{self.user_id}"


def person_ids(session: Session, user_id: int) -> PersonIds:
    """The ids of one person. Raises NotFound."""
    if session.get(User, user_id) is None:
        raise NotFound(f"There is no user {user_id}.")
    profiles = {
        role: tuple(session.scalars(select(table.id).where(table.user_id == user_id).order_by(table.id)))
        for role, table in PROFILE_TABLES.items()
    }
    return PersonIds(user_id, profiles["tutor"], profiles["student"], profiles["parent"])
