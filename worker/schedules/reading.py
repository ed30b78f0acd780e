"""Read the lessons that the caller may see."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true, tuple_, union
from sqlalchemy.orm import Session

from models.people import StudentProfile
from models.schedules import Schedule, ScheduleParticipant
from worker.access.callers import Caller, Operator
from worker.errors import Forbidden, NotFound
from worker.schedules.date_range import Range
from worker.schedules.series.reconcile import lock_series


def students_of(session: Session, caller: Caller) -> frozenset[int]:
    """The students whose lessons the caller may see as their own: themselves and their children."""
    if isinstance(caller, Operator):
        return frozenset()
    students = {caller.student_id} if caller.student_id is not None else set()
    if caller.parent_id is not None:
        children = select(StudentProfile.id).where(StudentProfile.parent_id.bool_op("@>")([caller.parent_id]))
        students.update(session.scalars(children))
    return frozenset(students)


def visible_lessons(caller: Caller) -> ColumnElement[bool]:
    """A predicate on Schedule: which lessons the caller may see.

    A tutor sees their own lessons and slots, a student or parent those they or their children take part in, an operator
    all.
    """
    if isinstance(caller, Operator):
        return true()
    conditions: list[ColumnElement[bool]] = []
    if caller.tutor_id is not None:
        conditions.append(Schedule.tutor_id == caller.tutor_id)
    students: list[ColumnElement[bool]] = []
    if caller.student_id is not None:
        students.append(StudentProfile.id == caller.student_id)
    if caller.parent_id is not None:
        students.append(StudentProfile.parent_id.bool_op("@>")([caller.parent_id]))
    if students:
        theirs = select(StudentProfile.id).where(or_(*students))
        seats = select(ScheduleParticipant.schedule_id).where(ScheduleParticipant.student_id.in_(theirs))
        # Rows written by hand have no participants until their instants are computed.
        conditions += [Schedule.id.in_(seats), Schedule.student_id.in_(theirs)]
    return or_(false(), *conditions)


def find_lesson(session: Session, caller: Caller, schedule_id: int) -> Schedule:
    """The lesson. Raises NotFound when the caller may not see it."""
    lesson = session.scalar(select(Schedule).where(Schedule.id == schedule_id, visible_lessons(caller)))
    if lesson is None:
        raise NotFound(f"There is no lesson {schedule_id}.")
    return lesson


@dataclass(frozen=True)
class LessonSeats:
    """A lesson's tutor, its own booking, and the booking of each of its students (None: without one)."""

    tutor_id: int
    booking_id: int | None
    bookings: dict[int, int | None]


def read_seats(session: Session, schedule_id: int) -> LessonSeats | None:
    """Who takes part in a lesson, with students ordered by id; None when there is no such lesson."""
    lesson = session.execute(
        select(Schedule.tutor_id, Schedule.booking_id).where(Schedule.id == schedule_id)
    ).one_or_none()
    if lesson is None:
        return None
    students = session.execute(
        select(ScheduleParticipant.student_id, ScheduleParticipant.booking_id)
        .where(ScheduleParticipant.schedule_id == schedule_id)
        .order_by(ScheduleParticipant.student_id)
    )
    return LessonSeats(lesson.tutor_id, lesson.booking_id, {row.student_id: row.booking_id for row in students})


def series_of_lesson(session: Session, schedule_id: int | None) -> int | None:
    """The series that a lesson belongs to, if any."""
    return session.scalar(select(Schedule.series_id).where(Schedule.id == schedule_id))


def lock_lesson(session: Session, lesson: Schedule) -> Schedule:
    """Lock a lesson with its series until the transaction ends, and reread it: concurrent reconciling waits."""
    if lesson.series_id is not None:
        lock_series(session, [lesson.series_id])
    session.refresh(lesson, with_for_update=True)
    return lesson


def lock_led_lesson(session: Session, caller: Caller, schedule_id: int) -> Schedule:
    """Lock and return the lesson. Raises NotFound, Forbidden when the caller is not its tutor."""
    lesson = find_lesson(session, caller, schedule_id)
    if caller.tutor_id != lesson.tutor_id:
        raise Forbidden("Only the tutor can change a lesson.")
    return lock_lesson(session, lesson)


def list_lessons(
    session: Session,
    caller: Caller,
    window: Range,
    *,
    status: str | None,
    after: tuple[datetime | None, int] | None,
    limit: int,
) -> Sequence[Schedule]:
    """At most `limit` lessons ordered by time, after the one that began at `after`; those without instants last."""
    window.check()
    statement = select(Schedule).where(window.holds_lesson())
    if not isinstance(caller, Operator):
        statement = statement.where(Schedule.id.in_(_candidates(session, caller, window)))
    if status is not None:
        statement = statement.where(Schedule.status == status)
    if after is not None:
        statement = statement.where(_later_than(*after))
    statement = statement.order_by(Schedule.starts_at.asc().nulls_last(), Schedule.id).limit(limit)
    return session.scalars(statement).all()


def _candidates(session: Session, caller: Caller, window: Range) -> Select[int]:
    """Ids of the caller's lessons in the range and slightly beyond it; each branch uses its own index."""
    branches: list[Select[int]] = []
    if caller.tutor_id is not None:
        branches.append(select(Schedule.id).where(Schedule.tutor_id == caller.tutor_id, window.holds_lesson()))
    students = students_of(session, caller)
    if students:
        branches += [
            select(ScheduleParticipant.schedule_id).where(
                ScheduleParticipant.student_id.in_(students), window.holds_participant()
            ),
            select(Schedule.id).where(Schedule.student_id.in_(students), window.holds_lesson()),
        ]
    if not branches:
        return select(Schedule.id).where(false())
    return select(union(*branches).subquery().c[0])


def _later_than(starts_at: datetime | None, schedule_id: int) -> ColumnElement[bool]:
    if starts_at is None:
        return and_(Schedule.starts_at.is_(None), Schedule.id > schedule_id)
    return or_(tuple_(Schedule.starts_at, Schedule.id) > (starts_at, schedule_id), Schedule.starts_at.is_(None))
