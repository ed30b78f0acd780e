"""Lessons as a caller may see them: without the other students of a group."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import StudentProfile, User
from models.schedules import Schedule, ScheduleParticipant
from worker.access.callers import Caller, Operator
from worker.access.names import STUDENT, name_of
from worker.schedules.conflicts.clash import ScheduleClash
from worker.schedules.conflicts.two_roles import find_role_conflicts
from worker.schedules.reading import students_of

# student_id to booking_id, in order of ids.
_Seats = Mapping[int, int | None]


@dataclass(frozen=True)
class LessonView:
    """A lesson and those of its students whom the caller may see; the row itself names one of all its students."""

    lesson: Schedule
    student_id: int | None
    student_name: str | None
    booking_id: int | None
    participants: Sequence[int]
    # The caller's lessons at that time in another role.
    conflicts: Sequence[ScheduleClash] = ()


def view_lessons(session: Session, caller: Caller, lessons: Sequence[Schedule]) -> list[LessonView]:
    """The lessons as the caller may see them; the caller must be allowed to see each of them."""
    seats = _seats(session, [lesson.id for lesson in lessons])
    names = _names(session, students_of(session, caller))
    views = [
        _whole(lesson, seats[lesson.id]) if _sees_all(caller, lesson) else _own(lesson, seats[lesson.id], names)
        for lesson in lessons
    ]
    conflicts = find_role_conflicts(session, caller, lessons)
    return [replace(view, conflicts=conflicts.get(view.lesson.id, ())) for view in views] if conflicts else views


def _sees_all(caller: Caller, lesson: Schedule) -> bool:
    return isinstance(caller, Operator) or caller.tutor_id == lesson.tutor_id


def _whole(lesson: Schedule, seats: _Seats) -> LessonView:
    # Written by hand and not processed yet: there is only the row itself.
    written = [lesson.student_id] if lesson.student_id is not None else []
    name = lesson.student_name or (STUDENT if lesson.student_id is not None else None)
    return LessonView(lesson, lesson.student_id, name, lesson.booking_id, list(seats) or written)


def _own(lesson: Schedule, seats: _Seats, names: Mapping[int, str]) -> LessonView:
    mine = [student_id for student_id in seats if student_id in names]
    if not mine:
        return _whole(lesson, {})
    return LessonView(lesson, mine[0], names[mine[0]], seats[mine[0]], mine)


def _seats(session: Session, schedule_ids: Collection[int]) -> Mapping[int, _Seats]:
    seats: dict[int, dict[int, int | None]] = defaultdict(dict)
    seat = ScheduleParticipant
    statement = select(seat.schedule_id, seat.student_id, seat.booking_id).where(seat.schedule_id.in_(schedule_ids))
    for schedule_id, student_id, booking_id in session.execute(statement.order_by(seat.student_id)):
        seats[schedule_id][student_id] = booking_id
    return seats


def _names(session: Session, students: Collection[int]) -> dict[int, str]:
    if not students:
        return {}
    statement = select(StudentProfile.id, name_of(StudentProfile).label("name")).join(
        User, User.id == StudentProfile.user_id
    )
    return {row.id: row.name or STUDENT for row in session.execute(statement.where(StudentProfile.id.in_(students)))}
