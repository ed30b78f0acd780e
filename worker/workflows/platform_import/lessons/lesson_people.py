"""What we store about the people whom lessons name."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from models.people import StudentProfile, TutorProfile
from models.people import User as Person
from worker.access.names import name_of
from worker.bookings.platform_bookings import Pair, bookings_of_pairs
from worker.platform.connection import Row
from worker.schedules.platform_lessons import Seat
from worker.workflows.platform_import.bookings.courses import course_names
from worker.workflows.platform_import.kind import Pull


@dataclass(frozen=True)
class KnownPeople:
    """What we store about the people whom lessons name, and the names of their courses."""

    tutors: frozenset[int]
    # Names by student id.
    students: Mapping[int, str | None]
    bookings: Mapping[Pair, int]
    courses: dict[int, str]

    def seats(self, row: Row) -> tuple[Seat, ...]:
        """The seats of those students of the row who are stored."""
        ids = [student_id for student_id in dict.fromkeys(row.students_id or ()) if student_id in self.students]
        return tuple(Seat(student_id, self.bookings.get(Pair(row.tutor_id, student_id))) for student_id in ids)


def read_known_people(session: Session, rows: Sequence[Row], pull: Pull) -> KnownPeople:
    """Read what we store about the people in these rows."""
    tutors = {row.tutor_id for row in rows if row.tutor_id is not None}
    students = {student_id for row in rows for student_id in row.students_id or ()}
    names = select(StudentProfile.id, name_of(StudentProfile)).join(Person, Person.id == StudentProfile.user_id)
    pairs = {Pair(row.tutor_id, student_id) for row in rows for student_id in row.students_id or ()}
    return KnownPeople(
        frozenset(session.scalars(select(TutorProfile.id).where(TutorProfile.id == func.any(list(tutors))))),
        {row.id: row[1] for row in session.execute(names.where(StudentProfile.id == func.any(list(students))))},
        bookings_of_pairs(session, pairs),
        course_names(pull, [row.courses or row.package_courses for row in rows]),
    )
