"""Complete a series whose rule has no further day; a series without an end is never completed."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.expand import first_days
from worker.recurrence.rule import parse_rule

# A lesson moved to a later day keeps its series active.
_ENDING = text(
    """
    SELECT id, schedule_date, start_time, timezone, rrule, dates FROM schedule_series series
     WHERE status = 'active' AND (rrule IS NULL OR rrule ~ '(COUNT|UNTIL)=') AND id > :after
       AND NOT EXISTS (
           SELECT FROM tutor_schedules lesson
            WHERE lesson.series_id = series.id AND lesson.status IN ('scheduled', 'in_progress')
              AND lesson.ends_at > :now)
     ORDER BY id LIMIT :most FOR UPDATE SKIP LOCKED
    """
)
_COMPLETE = text("UPDATE schedule_series SET status = 'completed', updated_at = now() WHERE id = ANY(:ids)")


def complete_series(session: Session, *, now: datetime, after: int, most: int) -> tuple[int, int | None]:
    """Of at most `most` series with ids above `after`, complete those past their last day.

    Returns how many, and where the next batch starts (None: this was the last).
    """
    rows = session.execute(_ENDING, {"now": now, "after": after, "most": most}).all()
    over = [row.id for row in rows if _is_over(row, now)]
    if over:
        session.execute(_COMPLETE, {"ids": over})
    return len(over), rows[-1].id if len(rows) == most else None


def _is_over(series: Row[tuple[object, ...]], now: datetime) -> bool:
    """Whether its last day has passed in its own zone; False for a rule that cannot be read."""
    try:
        where = zone(series.timezone)
        yesterday = now.astimezone(where).date() - timedelta(days=1)
        if series.rrule is None:
            return _last(series.dates) <= yesterday
        rule = parse_rule(series.rrule, zone=where, start_time=series.start_time)
        return next(first_days(rule, series.schedule_date, after=yesterday), None) is None
    except InvalidInput:
        return False


def _last(dates: Sequence[date]) -> date:
    return max(dates, default=date.min)
