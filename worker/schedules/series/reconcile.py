"""The only place that creates lessons of series: compares what the rules require with what is stored.

Concurrent runs are harmless: the series' rows are locked, and (series_id, occurrence_date) is unique.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.series import Series
from worker import errors
from worker.logs import get_logger
from worker.schedules.conflicts.clash import ScheduleClash, is_collision
from worker.schedules.planning import Planning
from worker.schedules.series.occurrences import TWO_DAYS, horizon
from worker.schedules.series.plan import plan_lessons
from worker.schedules.series.planned_lessons import Plan
from worker.schedules.series.states import DateRange, read_facts
from worker.schedules.series.write_plan import write_plan

_log = get_logger(__name__)

# Another lesson may be inserted between reading and writing; three times in a row is no coincidence.
_TRIES = 3


def reconcile(session: Session, series_ids: Sequence[int], planning: Planning) -> list[ScheduleClash]:
    """Bring the stored lessons of these series in line with their rules and students, from the present moment on.

    Lessons that are past, held, cancelled by a person, edited by hand or booked stay unchanged. Days that a series has
    never processed are stored even when past: a tutor may enter lessons already taught. Returns what could not be
    stored because somebody is busy; it is recorded as skips. Locks the series.
    """
    session.flush()
    ranges = [_range_of(series, planning) for series in lock_series(session, series_ids)]
    plan = carry_out(session, ranges, planning.now, rows=True)
    for days in ranges:
        if days.series.status == "active":
            days.series.expanded_until = days.until
    session.flush()
    # The rows were changed without the session's knowledge.
    session.expire_all()
    return plan.conflicts


def lock_series(session: Session, series_ids: Sequence[int]) -> Sequence[Series]:
    """Lock the series until the transaction ends; always in one order, so that concurrent calls do not deadlock."""
    statement = select(Series).where(Series.id.in_(series_ids)).order_by(Series.id).with_for_update()
    return session.scalars(rereading(statement)).all()


def rereading(statement: Select[Any]) -> Select[Any]:
    """The statement, made to reread columns that were already loaded."""
    return statement.execution_options(populate_existing=True)


def _range_of(series: Series, planning: Planning) -> DateRange:
    until = horizon(series, planning)
    if series.expanded_until is None:
        return DateRange(series, None, until)
    # Rows from an earlier, longer horizon are still required.
    day_before = (planning.now - TWO_DAYS).date()
    return DateRange(series, min(series.expanded_until, day_before), max(until, series.expanded_until))


def carry_out(session: Session, ranges: Sequence[DateRange], now: datetime, *, rows: bool) -> Plan:
    """Plan and write; start over when the database rejects a collision with a lesson inserted since reading."""
    for _ in range(_TRIES):
        facts = read_facts(session, ranges, now, rows=rows)
        plan = plan_lessons(facts.states, facts.busy, facts.ids)
        try:
            with session.begin_nested():
                write_plan(session, plan)
        except DBAPIError as error:
            if not is_collision(error):
                raise
            _log.info("lessons_collided", series=[days.series.id for days in ranges][:10])
        else:
            return plan
    raise errors.Conflict("Other lessons of the same people are being stored; try again.")
