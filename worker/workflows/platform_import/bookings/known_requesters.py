"""What we store about the people whom requests name."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import ParentProfile, StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.names import name_of
from worker.bookings.platform_bookings import Pair, bookings_of_pairs
from worker.platform.connection import Row
from worker.platform.requesters import RequesterReading

_REQUESTERS: Mapping[str, type[StudentProfile] | type[ParentProfile]] = {
    "student": StudentProfile,
    "parent": ParentProfile,
}


@dataclass(frozen=True)
class KnownStudent:
    """A student as a request shows them."""

    id: int
    name: str | None
    grade_level: str | None


@dataclass(frozen=True)
class KnownRequesters:
    """What we store about the people whom requests name."""

    are_users: bool
    tutors: frozenset[int]
    students: Mapping[int, KnownStudent]
    # By type and the id in the request.
    requesters: Mapping[tuple[str, int], int]
    bookings: Mapping[Pair, int]


def read_known_requesters(session: Session, rows: Sequence[Row], reading: RequesterReading) -> KnownRequesters:
    """Read what we store about the people in these rows."""
    requesters = {
        (kind, number): profile_id
        for kind, profile in _REQUESTERS.items()
        for number, profile_id in _requesters(
            session, profile, {row.requester_id for row in rows if row.requester_type == kind}, reading
        )
    }
    students = {row.requested_to_id for row in rows if row.requested_to_id is not None} | {
        profile_id for (kind, _), profile_id in requesters.items() if kind == "student"
    }
    tutors = {row.tutor_id for row in rows}
    return KnownRequesters(
        reading.are_users,
        frozenset(session.scalars(select(TutorProfile.id).where(TutorProfile.id == func.any(list(tutors))))),
        _students(session, students),
        requesters,
        bookings_of_pairs(session, _named_pairs(rows, requesters)),
    )


def _named_pairs(rows: Sequence[Row], requesters: Mapping[tuple[str, int], int]) -> set[Pair]:
    """The tutor and the student of each request that names a student."""
    students = [(row, row.requested_to_id or requesters.get(("student", row.requester_id))) for row in rows]
    return {Pair(row.tutor_id, student_id) for row, student_id in students if student_id is not None}


def _requesters(
    session: Session,
    profile: type[StudentProfile] | type[ParentProfile],
    numbers: Iterable[int],
    reading: RequesterReading,
) -> list[tuple[int, int]]:
    """(id in the request, profile id) of the known requesters; of two profiles of a user, the active one."""
    number = profile.user_id if reading.are_users else profile.id
    statement = select(number, profile.id).where(number == func.any(list(numbers)))
    rows = session.execute(statement.order_by(number, profile.is_active, profile.id.desc()))
    return [(requester, profile_id) for requester, profile_id in rows]


def _students(session: Session, ids: Iterable[int]) -> dict[int, KnownStudent]:
    statement = select(StudentProfile.id, name_of(StudentProfile), StudentProfile.grade_level)
    statement = statement.join(Person, Person.id == StudentProfile.user_id)
    rows = session.execute(statement.where(StudentProfile.id == func.any(list(ids))))
    return {row[0]: KnownStudent(*row) for row in rows}
