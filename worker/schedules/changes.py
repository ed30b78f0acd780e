"""Change lessons: one, this and the following, or all of a series."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from models.schedules import Schedule
from worker.access.callers import Caller
from worker.errors import Conflict
from worker.schedules.change_one import change_one
from worker.schedules.change_series import change_series
from worker.schedules.commands import TouchedLessons
from worker.schedules.conflicts.clash import LessonConflict, ScheduleClash
from worker.schedules.planning import Planning
from worker.schedules.reading import lock_led_lesson
from worker.schedules.series.reconcile import lock_series, reconcile
from worker.schedules.series.split import split_series

ONE: Final = "one"
FOLLOWING: Final = "following"
ALL: Final = "all"


@dataclass(frozen=True)
class LessonChange:
    """Change the fields that were sent, for a lesson, it and the following ones, or its whole series (`scope`).

    A lesson without a series is always changed alone.
    """

    schedule_id: int
    fields: Mapping[str, Any]
    scope: str
    planning: Planning

    @property
    def now(self) -> datetime:
        """The present moment."""
        return self.planning.now

    @property
    def touched(self) -> TouchedLessons:
        """The lesson, or its series."""
        return TouchedLessons(self.schedule_id, whole_series=self.scope != ONE)

    def apply(self, session: Session, caller: Caller) -> tuple[Schedule, list[ScheduleClash]]:
        """The lesson and, with `skip_conflicts`, the clashes that could not be stored.

        Raises NotFound, Forbidden when the caller is not its tutor, InvalidInput, Conflict for a lesson that has ended,
        LessonConflict.
        """
        lesson = lock_led_lesson(session, caller, self.schedule_id)
        if lesson.series_id is None or self.scope == ONE:
            change_one(session, lesson, self.fields, self.now)
            return lesson, []
        [series] = lock_series(session, [lesson.series_id])
        if series.status == "cancelled":
            raise Conflict(f"The series of lesson {lesson.id} is cancelled; it cannot be changed any more.")
        if self.scope == FOLLOWING and lesson.occurrence_date is not None:
            series = split_series(session, series, lesson.occurrence_date)
        change_series(session, series, lesson, self.fields, self.now)
        conflicts = reconcile(session, [series.id], self.planning)
        if conflicts and not self.planning.skip_conflicts:
            raise LessonConflict(conflicts)
        session.refresh(lesson)
        return lesson, conflicts
