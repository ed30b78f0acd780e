"""Skips: days of a series on which a person does not want a lesson."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.schedules import Schedule
from models.series import Series
from worker.access.callers import Caller
from worker.errors import Conflict, Forbidden, InvalidInput
from worker.schedules.commands import TouchedLessons
from worker.schedules.series.exclusions import exclude
from worker.schedules.series.occurrences import recurrence_of
from worker.schedules.series.reading import find_series
from worker.schedules.series.reconcile import lock_series
from worker.schedules.standalone_lessons import touch


@dataclass(frozen=True)
class DaySkip:
    """Cancel the lessons on these days of a series; days whose lesson is not stored yet will not get one."""

    series_id: int
    days: frozenset[date]
    now: datetime

    @property
    def touched(self) -> TouchedLessons:
        """The lessons of the series."""
        return TouchedLessons(series_id=self.series_id)

    def apply(self, session: Session, caller: Caller) -> Series:
        """The series; idempotent.

        Raises NotFound, Forbidden, InvalidInput for a day that is not one of the series, Conflict for a lesson that has
        begun.
        """
        series = find_series(session, caller, self.series_id)
        if caller.tutor_id != series.tutor_id:
            raise Forbidden("Only the tutor can skip lessons.")
        [series] = lock_series(session, [self.series_id])
        lessons = _lessons(session, self.series_id, self.days)
        _check_days(series, self.days - {lesson.occurrence_date for lesson in lessons})
        for lesson in lessons:
            _cancel(lesson, self.now)
        exclude(session, self.series_id, self.days)
        session.flush()
        return series


def _cancel(lesson: Schedule, now: datetime) -> None:
    if lesson.status != "cancelled" and (lesson.starts_at is None or lesson.starts_at <= now):
        raise Conflict(f"The lesson of {lesson.occurrence_date} has begun; it cannot be skipped any more.")
    if lesson.cancelled_by != "person":
        lesson.status, lesson.cancelled_by = "cancelled", "person"
        touch(lesson, now)


def _lessons(session: Session, series_id: int, days: Collection[date]) -> Sequence[Schedule]:
    statement = select(Schedule).where(Schedule.series_id == series_id, Schedule.occurrence_date.in_(days))
    return session.scalars(statement.order_by(Schedule.id).with_for_update()).all()


def _check_days(series: Series, days: Collection[date]) -> None:
    recurrence = recurrence_of(series)
    for day in sorted(days):
        if day not in recurrence.days(date.fromordinal(max(1, day.toordinal() - 1)), day):
            raise InvalidInput(f"{day} is no day of this series: {series.recurrence_pattern}.")
