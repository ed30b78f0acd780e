"""Create single lessons and slots, which belong to no series."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.people import StudentProfile, User
from models.schedules import Schedule, ScheduleParticipant
from worker.access.names import name_of
from worker.calendars.zones import tzdata_version, zone
from worker.recurrence.instants import Instants, instants
from worker.schedules.conflicts.clash import LessonConflict, ScheduleClash, translate_exclusion
from worker.schedules.conflicts.read_busy_times import find_conflicts
from worker.schedules.planning import Planning
from worker.schedules.series.create_series import FIRST_COLUMNS, CreationResult, NewLessons, check_begin


def create_lesson(session: Session, lessons: NewLessons, planning: Planning) -> CreationResult:
    """Create the single lesson of a recurrence, with its participant; without one it is a free slot.

    Raises InvalidInput for a day too long ago, LessonConflict; with `skip_conflicts` a lesson that collides is not
    created, and the result says why.
    """
    recurrence = lessons.recurrence
    check_begin(recurrence, planning.now)
    day = recurrence.first_day
    when = instants(day, recurrence.start_time, recurrence.end_time, zone(recurrence.timezone))
    students = [participant.student_id for participant in lessons.participants]

    def find() -> list[ScheduleClash]:
        return find_conflicts(session, tutor_id=lessons.tutor_id, students=students, day=day, when=when)

    conflicts = find()
    if conflicts and planning.skip_conflicts:
        return CreationResult(None, None, recurrence.text(), 0, (), conflicts)
    if conflicts:
        raise LessonConflict(conflicts)
    lesson = _lesson_row(lessons, when)
    with translate_exclusion(session, find):
        session.add(lesson)
        session.flush()
        for participant in lessons.participants:
            seat(session, lesson, participant.student_id, participant.booking_id)
    first = session.execute(select(*FIRST_COLUMNS).where(Schedule.id == lesson.id)).all()
    return CreationResult(None, lesson.id, recurrence.text(), 1, first, ())


def _lesson_row(lessons: NewLessons, when: Instants) -> Schedule:
    recurrence = lessons.recurrence
    return Schedule(
        tutor_id=lessons.tutor_id,
        schedule_date=recurrence.first_day,
        start_time=recurrence.start_time,
        end_time=recurrence.end_time,
        timezone=recurrence.timezone,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
        tzdata_version=tzdata_version(),
        **lessons.content,
    )


def seat(session: Session, lesson: Schedule, student_id: int, booking_id: int | None) -> None:
    """Assign a lesson without a student to this student."""
    lesson.student_id, lesson.booking_id = student_id, booking_id
    lesson.student_name = student_name(session, student_id)
    session.flush()
    participant = ScheduleParticipant(
        schedule_id=lesson.id,
        student_id=student_id,
        booking_id=booking_id,
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        status=lesson.status,
    )
    session.add(participant)
    session.flush()


def student_name(session: Session, student_id: int) -> str | None:
    """The student's name as the calendar shows it; None where it is missing."""
    statement = select(name_of(StudentProfile)).select_from(User)
    statement = statement.join(StudentProfile, StudentProfile.user_id == User.id)
    return session.scalar(statement.where(StudentProfile.id == student_id))
