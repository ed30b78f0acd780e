"""Determine whose entry of a personal timetable a row is."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import TutorProfile
from models.people import User as Person
from worker.platform.connection import Row


class EntryOwner(NamedTuple):
    """Whose entry it is (None: nobody's), and whether `scheduler_id` could also mean somebody else."""

    user_id: int | None
    is_ambiguous: bool = False


@dataclass(frozen=True)
class Schedulers:
    """The people whom the ids in `scheduler_id` may mean: known users, those who teach, and users by tutor profile."""

    users: frozenset[int]
    teachers: frozenset[int]
    by_profile: Mapping[int, int]

    def owner(self, row: Row) -> EntryOwner:
        """The tutor's own route writes tutor_profiles.id, the general form users.id; rows do not say which."""
        number = row.scheduler_id
        if row.scheduler_role == "tutor" and number not in self.teachers:
            return EntryOwner(self.by_profile.get(number))
        if number not in self.users:
            return EntryOwner(None)
        profile_of = self.by_profile.get(number, number)
        return EntryOwner(number, is_ambiguous=row.scheduler_role == "tutor" and profile_of != number)


def read_schedulers(session: Session, numbers: set[int]) -> Schedulers:
    """The users with these ids who are stored here, and the users of the tutor profiles with these ids."""
    users = session.scalars(select(Person.id).where(Person.id == func.any(list(numbers))))
    named = TutorProfile.id.in_(numbers) | TutorProfile.user_id.in_(numbers)
    profiles = session.execute(select(TutorProfile.id, TutorProfile.user_id).where(named))
    by_profile = {profile.id: profile.user_id for profile in profiles}
    return Schedulers(frozenset(users), frozenset(by_profile.values()) & numbers, by_profile)
