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

from models.schedules import Series
from worker import errors
from worker.calendars.zones import zone_names
from worker.logs import get_logger
from worker.schedules.conflicts.busy_times import BusyTimes
from worker.schedules.conflicts.clash import ScheduleClash, is_collision
from worker.schedules.conflicts.read_busy_times import read_busy
from worker.schedules.series.occurrences import horizon, recurrence_of, today_in
from worker.schedules.series.plan import Plan, SeriesState, plan_lessons
from worker.schedules.series.states import DateRange, read_states
from worker.schedules.series.write_plan import reserve_ids, write_plan

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


def reconcile(session: Session, series_ids: Sequence[int], *, now: datetime, horizon_days: int) -> list[ScheduleClash]:
    """Bring the stored lessons of these series in line with their rules and students, from `now` on.

    Lessons that are past, held, cancelled by a person, edited by hand or booked stay unchanged. Days that a series has
    never processed are stored even when past: a tutor may enter lessons already taught. Returns what could not be
    stored because somebody is busy; it is recorded as skips. Locks the series.
    """
    session.flush()
    locked = lock_series(session, series_ids)
    reaches = [_reach(series, now, horizon_days) for series in locked]
    plan = _carry_out(session, reaches, now, rows=True)
    for reach in reaches:
        if reach.series.status == "active":
            reach.series.expanded_until = reach.until
    session.flush()
    # Rows were changed behind the session's back.
    session.expire_all()
    return plan.conflicts


def lock_series(session: Session, series_ids: Sequence[int]) -> Sequence[Series]:
    """The series, locked until the transaction ends; always in one order, so that concurrent calls do not deadlock."""
    statement = select(Series).where(Series.id.in_(series_ids)).order_by(Series.id).with_for_update()
    return session.scalars(_fresh(statement)).all()


def fill(session: Session, *, now: datetime, horizon_days: int, batch: int) -> FillResult:
    """Store the missing lessons of the next `batch` series up to the horizon; existing ones are not changed.

    Series locked by others are left for the next call; when nothing was due, `series` is 0. One transaction per call.
    """
    zones = session.scalars(_ZONES_DUE, {"latest": (now + _TWO_DAYS).date() + timedelta(days=horizon_days)}).all()
    ids = session.scalars(_DUE, {**_local_days(zones, now), "days": horizon_days, "batch": batch}).all()
    if not ids:
        return FillResult(0, 0, 0)
    due = session.scalars(_fresh(select(Series).where(Series.id.in_(ids)).order_by(Series.id))).all()
    reaches = [
        DateRange(series, series.expanded_until, horizon(series.timezone, series.schedule_date, now, horizon_days))
        for series in due
    ]
    plan = _carry_out(session, [reach for reach in reaches if _is_readable(reach.series)], now, rows=False)
    for reach in reaches:
        reach.series.expanded_until = reach.until
    session.flush()
    return FillResult(len(due), len(plan.new), len(plan.skips), [one.id for one in plan.new])


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


def _reach(series: Series, now: datetime, horizon_days: int) -> DateRange:
    until = horizon(series.timezone, series.schedule_date, now, horizon_days)
    if series.expanded_until is None:
        return DateRange(series, None, until)
    # With an earlier, longer horizon there are rows that are still required.
    return DateRange(series, min(series.expanded_until, (now - _TWO_DAYS).date()), max(until, series.expanded_until))


def _carry_out(session: Session, reaches: Sequence[DateRange], now: datetime, *, rows: bool) -> Plan:
    """Plan and write; start over when the database rejects a collision with a lesson that was not there to read."""
    for _ in range(_TRIES):
        states = read_states(session, reaches, now, rows=rows)
        plan = plan_lessons(states, _busy(session, states), reserve_ids(session, _missing(states)))
        try:
            with session.begin_nested():
                write_plan(session, plan)
        except DBAPIError as error:
            if not is_collision(error):
                raise
            _log.info("lessons_collided", series=[reach.series.id for reach in reaches][:10])
        else:
            return plan
    raise errors.Conflict("Other lessons of the same people are being stored; try again.")


def _missing(states: Sequence[SeriesState]) -> int:
    return sum(one.day not in state.taken for state in states for one in state.occurrences)


def _busy(session: Session, states: Sequence[SeriesState]) -> BusyTimes:
    taught = [state for state in states if state.has_students]
    times = [when for state in taught for one in state.occurrences for when in (one.starts_at, one.ends_at)]
    times += [when for state in taught for row in state.stored for when in (row.starts_at, row.ends_at)]
    if not times:
        return BusyTimes()
    return read_busy(
        session,
        tutors={state.tutor_id for state in taught},
        students={one.student_id for state in taught for one in state.attendees},
        since=min(times),
        until=max(times),
        without=[row.id for state in taught for row in state.stored],
    )
