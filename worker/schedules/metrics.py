"""Metrics for operators: whether lessons' statuses follow the clock, and how far ahead series are filled."""

from dataclasses import dataclass

from sqlalchemy import text
from sqlalchemy.orm import Session

_OVERDUE = text(
    """
    SELECT coalesce(extract(epoch FROM now() - min(CASE WHEN status = 'scheduled' THEN starts_at ELSE ends_at END)), 0)
      FROM tutor_schedules
     WHERE student_id IS NOT NULL AND status IN ('scheduled', 'in_progress')
       AND starts_at <= now() AND (status = 'scheduled' OR ends_at <= now())
    """
)
_FILLED = text("SELECT min(expanded_until) - current_date FROM schedule_series WHERE status = 'active'")


@dataclass(frozen=True)
class LessonMetrics:
    """`overdue`: seconds since a lesson should have begun or ended without its status following; 0 if there is none.

    `filled_days`: how many days ahead the least filled active series is stored; None if there is none.
    """

    overdue: float
    filled_days: int | None


def lesson_metrics(session: Session) -> LessonMetrics:
    """The current metrics."""
    return LessonMetrics(float(session.scalars(_OVERDUE).one()), session.scalars(_FILLED).one())
