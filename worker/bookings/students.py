"""The tutor's panel "My Students": each student once, with their bookings and next lesson."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.orm import Session

from models.bookings import Booking
from models.people import StudentProfile
from models.people import User as Person
from models.schedules import Schedule, ScheduleParticipant
from worker.access.callers import Caller
from worker.access.names import STUDENT, person_name
from worker.errors import Forbidden


@dataclass(frozen=True)
class MyStudent:
    """A student of a tutor; bookings newest first, and the current or next lesson."""

    student_id: int
    student_name: str
    grade_level: str | None
    bookings: Sequence[Booking]
    next_lesson: Schedule | None

    @property
    def position(self) -> int:
        """The cursor of the list: the id of the student's newest booking in it."""
        return self.bookings[0].id


def list_students(
    session: Session, caller: Caller, *, status: str | None, before: int | None, limit: int, now: datetime
) -> list[MyStudent]:
    """At most `limit` students of the calling tutor, those with the newest bookings first.

    With `status` only bookings of that status are counted and shown; `before` is the `position` of the last student of
    the previous page. Raises Forbidden when the caller is no tutor.
    """
    tutor_id = caller.tutor_id
    if tutor_id is None:
        raise Forbidden("Only tutors have students.")
    # A student who has not agreed is not shown at all, not even that they exist.
    counted = (Booking.tutor_id == tutor_id) & Booking.agreed_student_id.is_not(None)
    if status is not None:
        counted &= Booking.status == status
    bookings = _bookings(session, counted, before, limit)
    statement = (
        select(StudentProfile, Person, Schedule)
        .join(Person, Person.id == StudentProfile.user_id)
        .outerjoin(Schedule, Schedule.id == _next_lesson(tutor_id, now))
        .where(StudentProfile.id.in_(bookings))
    )
    rows = {student.id: (student, person, lesson) for student, person, lesson in session.execute(statement)}
    return [_my_student(*rows[student_id], bookings[student_id]) for student_id in bookings]


def _my_student(student: StudentProfile, person: Person, lesson: Schedule | None, bookings: list[Booking]) -> MyStudent:
    name = person_name(person, student) or STUDENT
    return MyStudent(student.id, name, student.grade_level, bookings, lesson)


def _bookings(
    session: Session, counted: ColumnElement[bool], before: int | None, limit: int
) -> dict[int, list[Booking]]:
    """The bookings of one page of students, grouped by student in the order of the list."""
    newest = func.max(Booking.id)
    page = select(Booking.student_id).where(counted).group_by(Booking.student_id)
    if before is not None:
        page = page.having(newest < before)
    page = page.order_by(newest.desc()).limit(limit)
    by_student: dict[int, list[Booking]] = defaultdict(list)
    statement = select(Booking).where(counted, Booking.student_id.in_(page)).order_by(Booking.id.desc())
    for booking in session.scalars(statement):
        # A student's newest booking comes first, so the keys are in the order of the list.
        by_student[booking.student_id].append(booking)
    return by_student


def _next_lesson(tutor_id: int, now: datetime) -> ScalarSelect[int]:
    """The id of a student's first lesson with this tutor that has not ended; reads a few index rows per student."""
    return (
        select(Schedule.id)
        .join(ScheduleParticipant, ScheduleParticipant.schedule_id == Schedule.id)
        .where(
            Schedule.tutor_id == tutor_id,
            ScheduleParticipant.student_id == StudentProfile.id,
            ScheduleParticipant.status.in_(("scheduled", "in_progress")),
            ScheduleParticipant.ends_at > now,
        )
        .order_by(ScheduleParticipant.starts_at)
        .limit(1)
        .correlate(StudentProfile)
        .scalar_subquery()
    )
