"""Ask the database whether a signed claim still holds: tokens live for a week, people change sooner."""

from typing import Any

from sqlalchemy import Integer, Select, and_, bindparam, select
from sqlalchemy.orm import Session

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.callers import User
from worker.errors import Unauthorized

_PROFILES = (TutorProfile, StudentProfile, ParentProfile)


def _claimed_profiles() -> Select[*tuple[Any, ...]]:
    found = select(Person.is_active, *(profile.id for profile in _PROFILES)).select_from(Person)
    for profile in _PROFILES:
        claimed = bindparam(profile.__tablename__, type_=Integer)
        theirs = and_(profile.user_id == Person.id, profile.id == claimed, profile.is_active)
        found = found.outerjoin(profile, theirs)
    return found.where(Person.id == bindparam("user_id", type_=Integer))


# Made once: every request asks.
_CLAIMED = _claimed_profiles()


def verify(session: Session, user: User) -> User:
    """`user`, once the account is found active and every claimed profile is active and theirs. One query.

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
