"""Verify a signed token's claims against the database: tokens are valid for a week, people change sooner."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, select, text
from sqlalchemy.orm import Session

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.callers import UserCaller
from worker.errors import Unauthorized

_PROFILES = (TutorProfile, StudentProfile, ParentProfile)


def _claimed_profiles() -> Select[*tuple[Any, ...]]:
    statement = select(Person.is_active, *(profile.id for profile in _PROFILES)).select_from(Person)
    for profile in _PROFILES:
        claimed = bindparam(profile.__tablename__, type_=Integer)
        theirs = and_(profile.user_id == Person.id, profile.id == claimed, profile.is_active)
        statement = statement.outerjoin(profile, theirs)
    return statement.where(Person.id == bindparam("user_id", type_=Integer))


# Built once: every request uses it.
_CLAIMED = _claimed_profiles()


# The same check as _CLAIMED, for many users at once.
_STILL_VALID = text(
    """
    SELECT asked.number
      FROM unnest(CAST(:users AS integer[]), CAST(:tutors AS integer[]), CAST(:students AS integer[]),
                  CAST(:parents AS integer[]))
           WITH ORDINALITY AS asked (user_id, tutor_id, student_id, parent_id, number)
      JOIN users person ON person.id = asked.user_id AND person.is_active
      LEFT JOIN tutor_profiles tutor
        ON tutor.id = asked.tutor_id AND tutor.user_id = person.id AND tutor.is_active
      LEFT JOIN student_profiles student
        ON student.id = asked.student_id AND student.user_id = person.id AND student.is_active
      LEFT JOIN parent_profiles parent
        ON parent.id = asked.parent_id AND parent.user_id = person.id AND parent.is_active
     WHERE (tutor.id, student.id, parent.id) IS NOT DISTINCT FROM (asked.tutor_id, asked.student_id, asked.parent_id)
    """
)


def still_valid(session: Session, users: Collection[UserCaller]) -> set[UserCaller]:
    """Those of these users whom `verify` would accept now. One query for all of them."""
    callers = list(users)
    if not callers:
        return set()
    values = {
        "users": [user.user_id for user in callers],
        "tutors": [user.tutor_id for user in callers],
        "students": [user.student_id for user in callers],
        "parents": [user.parent_id for user in callers],
    }
    return {callers[number - 1] for number in session.scalars(_STILL_VALID, values)}


def verify(session: Session, user: UserCaller) -> UserCaller:
    """Returns `user` if the account is active and every claimed profile is active and theirs. One query.

    Raises Unauthorized for the whole token otherwise: a profile that is not its owner's is a forged claim.
    """
    claims = (user.tutor_id, user.student_id, user.parent_id)
    names = (profile.__tablename__ for profile in _PROFILES)
    values = {"user_id": user.user_id, **dict(zip(names, claims, strict=True))}
    row = session.execute(_CLAIMED, values).one_or_none()
    if row is None or not row[0]:
        raise Unauthorized("The account of this token does not exist or is not active.")
    if tuple(row[1:]) != claims:
        raise Unauthorized("The token claims a profile that is not active or not its owner's.")
    return user
