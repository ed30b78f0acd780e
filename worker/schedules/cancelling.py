"""Cancel lessons (one, this and the following, or all of a series) and release a booked slot."""

from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import delete, text
from sqlalchemy.orm import Session

from models.schedules import Schedule, ScheduleParticipant
from worker.access.callers import Caller
from worker.errors import Conflict, Forbidden
from worker.schedules.changes import ALL, ONE
from worker.schedules.commands import TouchedLessons
from worker.schedules.reading import find_lesson, lock_lesson, students_of
from worker.schedules.series.occurrences import recurrence_of
from worker.schedules.series.reconcile import lock_series
from worker.schedules.series.split import until_before, write_rule
from worker.schedules.standalone_lessons import touch

# Includes those cancelled with their series, which would otherwise be restored with it.
_CALL_OFF = text(
    """
    UPDATE tutor_schedules
       SET status = 'cancelled', cancelled_by = 'person', sequence = sequence + 1, updated_at = now()
     WHERE series_id = :series_id AND occurrence_date >= :day AND starts_at > :now
       AND (status = 'scheduled' OR status = 'cancelled' AND cancelled_by = 'series')
    """
)


@dataclass(frozen=True)
class LessonCancellation:
    """Cancel a lesson; depending on `scope` also those that follow it."""

    schedule_id: int
    scope: str
    now: datetime

    @property
    def touched(self) -> TouchedLessons:
        """The lesson, or its series."""
        return TouchedLessons(self.schedule_id, whole_series=self.scope != ONE)

    def apply(self, session: Session, caller: Caller) -> Schedule:
        """The cancelled lesson; idempotent.

        A student, or their parent, releases a slot that they booked: it is free again. Only the tutor may do anything
        else. Raises NotFound, Forbidden, Conflict for a lesson that has begun.
        """
        lesson = lock_lesson(session, find_lesson(session, caller, self.schedule_id))
        if caller.tutor_id == lesson.tutor_id:
            if lesson.series_id is None or self.scope == ONE:
                _cancel_one(lesson, self.now)
            else:
                _cancel_series(session, lesson.series_id, lesson, self.scope, self.now)
        elif self.scope == ONE and lesson.booked_at is not None and lesson.student_id in students_of(session, caller):
            _release(session, lesson, self.now)
        else:
            raise Forbidden("Only the tutor can cancel this; students cancel slots that they booked, one by one.")
        session.flush()
        return lesson


def _cancel_one(lesson: Schedule, now: datetime) -> None:
    if lesson.status not in ("scheduled", "cancelled"):
        raise Conflict(f"Lesson {lesson.id} is {lesson.status}; it cannot be cancelled any more.")
    if lesson.cancelled_by == "person":
        return
    lesson.status, lesson.cancelled_by = "cancelled", "person"
    touch(lesson, now)


def _cancel_series(session: Session, series_id: int, lesson: Schedule, scope: str, now: datetime) -> None:
    """End the rule, and cancel all future lessons, including those edited by hand or booked."""
    [series] = lock_series(session, [series_id])
    begin = date.min
    if scope != ALL and lesson.occurrence_date is not None:
        begin = lesson.occurrence_date
    before = until_before(recurrence_of(series), begin)
    if before is None:
        series.status = "cancelled"
    else:
        write_rule(series, before)
    series.updated_at = now
    session.flush()
    session.execute(_CALL_OFF, {"series_id": series_id, "day": begin, "now": now})
    session.refresh(lesson)


def _release(session: Session, lesson: Schedule, now: datetime) -> None:
    if lesson.status != "scheduled" or lesson.starts_at is None or lesson.starts_at <= now:
        raise Conflict(f"Lesson {lesson.id} has begun or is cancelled; it cannot be given back.")
    session.execute(delete(ScheduleParticipant).where(ScheduleParticipant.schedule_id == lesson.id))
    lesson.student_id = lesson.student_name = lesson.booking_id = lesson.booked_at = None
    touch(lesson, now)
