"""Ask the database whether a signed claim still holds: tokens live for a week, people change sooner."""

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.callers import User
from worker.errors import Unauthorized


def verify(session: Session, user: User) -> User:
    """`user`, once the account is found active and every claimed profile is active and theirs. One query.

    Raises Unauthorized for the whole token otherwise: a profile that is not its owner's is a forged claim.
    """
    claims = (
        (TutorProfile, user.tutor_id),
        (StudentProfile, user.student_id),
        (ParentProfile, user.parent_id),
    )
    statement = select(Person.is_active, *(profile.id for profile, _claimed in claims))
    statement = statement.select_from(Person).where(Person.id == user.user_id)
    for profile, claimed in claims:
        theirs = and_(profile.user_id == Person.id, profile.id == claimed, profile.is_active)
        statement = statement.outerjoin(profile, theirs)
    row = session.execute(statement).one_or_none()
    if row is None or not row[0]:
        raise Unauthorized("The account of this token does not exist or is not active.")
    if tuple(row[1:]) != tuple(claimed for _profile, claimed in claims):
        raise Unauthorized("The token claims a profile that is not active or not its owner's.")
    return user
