"""The only place that creates lessons of series: compares what the rules require with what is stored.

Concurrent runs are harmless: the series' rows are locked, and (series_id, occurrence_date) is unique.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Select, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from models.series import Series
from worker import errors
from worker.calendars.zones import zone_names
from worker.logs import get_logger
from worker.schedules.conflicts.clash import ScheduleClash, is_collision
from worker.schedules.planning import Planning
from worker.schedules.series.occurrences import horizon, recurrence_of, today_in
from worker.schedules.series.plan import plan_lessons
from worker.schedules.series.planned_lessons import Plan
from worker.schedules.series.states import DateRange, read_facts
from worker.schedules.series.write_plan import write_plan

_log = get_logger(__name__)

# Another lesson may be inserted between reading and writing; three times in a row is no coincidence.
_TRIES = 3
# The local day is at most one away from the day in UTC.
_TWO_DAYS = timedelta(days=2)

# Few zones and many series: the last day to fill is computed for each zone, by Python.
_ZONES_DUE = text(
    """
    SELECT DISTINCT timezone FROM schedule_series
     WHERE status = 'active' AND (expanded_until IS NULL OR expanded_until < :latest)
    """
)
_DUE = text(
    """
    SELECT series.id
      FROM schedule_series series
      JOIN unnest(CAST(:zones AS varchar[]), CAST(:todays AS date[])) AS local (timezone, today)
        ON local.timezone = series.timezone
     WHERE series.status = 'active'
       AND (series.expanded_until IS NULL
            OR series.expanded_until < greatest(local.today, series.schedule_date) + CAST(:days AS integer))
     ORDER BY series.id LIMIT :batch
       FOR UPDATE OF series SKIP LOCKED
    """
)


@dataclass(frozen=True)
class FillResult:
    """The result of one batch: series processed, lessons and slots stored, occurrences skipped."""

    series: int
    lessons: int
    skipped: int
    # The lessons and slots themselves.
    ids: Sequence[int] = field(default=(), compare=False)


def reconcile(session: Session, series_ids: Sequence[int], planning: Planning) -> list[ScheduleClash]:
    """Bring the stored lessons of these series in line with their rules and students, from the present moment on.

    Lessons that are past, held, cancelled by a person, edited by hand or booked stay unchanged. Days that a series has
    never processed are stored even when past: a tutor may enter lessons already taught. Returns what could not be
    stored because somebody is busy; it is recorded as skips. Locks the series.
    """
    session.flush()
    ranges = [_range_of(series, planning) for series in lock_series(session, series_ids)]
    plan = _carry_out(session, ranges, planning.now, rows=True)
    for days in ranges:
        if days.series.status == "active":
            days.series.expanded_until = days.until
    session.flush()
    # Rows were changed behind the session's back.
    session.expire_all()
    return plan.conflicts


def lock_series(session: Session, series_ids: Sequence[int]) -> Sequence[Series]:
    """The series, locked until the transaction ends; always in one order, so that concurrent calls do not deadlock."""
    statement = select(Series).where(Series.id.in_(series_ids)).order_by(Series.id).with_for_update()
    return session.scalars(_fresh(statement)).all()


def fill(session: Session, planning: Planning, *, batch: int) -> FillResult:
    """Store the missing lessons of the next `batch` series up to the horizon; existing ones are not changed.

    Series locked by others are left for the next call; when nothing was due, `series` is 0. One transaction per call.
    """
    now, horizon_days = planning.now, planning.horizon_days
    zones = session.scalars(_ZONES_DUE, {"latest": (now + _TWO_DAYS).date() + timedelta(days=horizon_days)}).all()
    ids = session.scalars(_DUE, {**_local_days(zones, now), "days": horizon_days, "batch": batch}).all()
    if not ids:
        return FillResult(0, 0, 0)
    due = session.scalars(_fresh(select(Series).where(Series.id.in_(ids)).order_by(Series.id))).all()
    ranges = [DateRange(series, series.expanded_until, horizon(series, planning)) for series in due]
    plan = _carry_out(session, [days for days in ranges if _is_readable(days.series)], now, rows=False)
    for days in ranges:
        days.series.expanded_until = days.until
    session.flush()
    return FillResult(len(due), len(plan.new), len(plan.skips), [lesson.id for lesson in plan.new])


def _local_days(zones: Sequence[str], now: datetime) -> dict[str, list[str] | list[date]]:
    known = sorted(zone_names().intersection(zones))
    return {"zones": known, "todays": [today_in(zone, now) for zone in known]}


def _is_readable(series: Series) -> bool:
    """Whether the rule can be read. An invalid rule written by hand must not keep all others from being filled."""
    try:
        recurrence_of(series)
    except errors.InvalidInput as error:
        _log.error("series_unreadable", series_id=series.id, detail=error.detail)
        return False
    return True


def _fresh(statement: Select[Any]) -> Select[Any]:
    return statement.execution_options(populate_existing=True)


def _range_of(series: Series, planning: Planning) -> DateRange:
    until = horizon(series, planning)
    if series.expanded_until is None:
        return DateRange(series, None, until)
    # With an earlier, longer horizon there are rows that are still required.
    day_before = (planning.now - _TWO_DAYS).date()
    return DateRange(series, min(series.expanded_until, day_before), max(until, series.expanded_until))


def _carry_out(session: Session, ranges: Sequence[DateRange], now: datetime, *, rows: bool) -> Plan:
    """Plan and write; start over when the database rejects a collision with a lesson that was not there to read."""
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
