"""Split a series at a day: earlier lessons keep the rule up to there, a new series takes over the rest."""

from dataclasses import replace
from datetime import date, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

from models.series import Series
from worker.errors import Conflict
from worker.recurrence.expand import first_days
from worker.recurrence.request import Recurrence
from worker.schedules.series.columns import DESCRIBING
from worker.schedules.series.create_series import rule_columns
from worker.schedules.series.occurrences import recurrence_of

_DAY = timedelta(days=1)
_TAKE_OVER = (
    text(
        """
        INSERT INTO series_participants (series_id, student_id, booking_id, created_at)
        SELECT :new, student_id, booking_id, created_at FROM series_participants WHERE series_id = :old
        """
    ),
    # Ids stay: reminders, whiteboard sessions and calendars refer to the lessons by them.
    text("UPDATE tutor_schedules SET series_id = :new WHERE series_id = :old AND occurrence_date >= :day"),
    text("UPDATE schedule_skips SET series_id = :new WHERE series_id = :old AND occurrence_date >= :day"),
)


def until_before(recurrence: Recurrence, day: date) -> Recurrence | None:
    """The days before `day`; None when there are none."""
    if day <= recurrence.first_day:
        return None
    if recurrence.rule is None:
        return replace(recurrence, dates=tuple(lesson_day for lesson_day in recurrence.dates if lesson_day < day))
    ends = min(day - _DAY, recurrence.rule.until or date.max)
    if recurrence.rule.count is not None:
        days = recurrence.days(None, ends)
        return replace(recurrence, rule=replace(recurrence.rule, count=len(days))) if days else None
    return replace(recurrence, rule=replace(recurrence.rule, until=ends))


def from_day(recurrence: Recurrence, day: date) -> Recurrence:
    """The days from `day` on. Raises Conflict when there are none."""
    if day <= recurrence.first_day:
        return recurrence
    yesterday = day - _DAY
    rule = recurrence.rule
    if rule is None:
        rest = tuple(lesson_day for lesson_day in recurrence.dates if lesson_day >= day)
        if not rest:
            raise _nothing_left(day)
        return replace(recurrence, dates=rest, first_day=rest[0])
    begin = next(first_days(rule, recurrence.first_day, after=yesterday), None)
    if begin is None:
        raise _nothing_left(day)
    if rule.skip == "FORWARD" and rule.interval > 1:
        # If the first day moved into the next month, intervals would be counted from there.
        raise Conflict("This rule cannot be split: change one lesson, or all of them.")
    if rule.count is not None:
        rule = replace(rule, count=rule.count - len(recurrence.days(None, yesterday)))
    return replace(recurrence, rule=rule, first_day=begin)


def split_series(session: Session, series: Series, day: date) -> Series:
    """The series of the lessons from `day` on: a new one, or `series` itself when it begins then. Both are locked.

    Lessons and skips keep their ids. Raises Conflict when the rule has no day from `day` on.
    """
    recurrence = recurrence_of(series)
    before = until_before(recurrence, day)
    if before is None:
        return series
    rest = from_day(recurrence, day)
    new = Series(
        tutor_id=series.tutor_id,
        has_students=series.has_students,
        package_name=series.package_name,
        status=series.status,
        expanded_until=series.expanded_until,
        split_from_id=series.id,
        **rule_columns(rest),
        **{name: getattr(series, name) for name in DESCRIBING},
    )
    session.add(new)
    write_rule(series, before)
    session.flush()
    for statement in _TAKE_OVER:
        session.execute(statement, {"new": new.id, "old": series.id, "day": day})
    return new


def write_rule(series: Series, recurrence: Recurrence) -> None:
    """Write the rule, times and zone of `recurrence` to the series."""
    for name, value in rule_columns(recurrence).items():
        setattr(series, name, value)


def _nothing_left(day: date) -> Conflict:
    return Conflict(f"The series has no lesson from {day} on: change this one alone.")
