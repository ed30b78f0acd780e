"""Extend series whose stored days end before the horizon."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from models.series import Series
from worker import errors
from worker.logs import get_logger
from worker.schedules.planning import Planning
from worker.schedules.series.occurrences import TWO_DAYS, horizon, recurrence_of, today_in
from worker.schedules.series.reconcile import carry_out, rereading
from worker.schedules.series.states import DateRange

_log = get_logger(__name__)
# There are few zones and many series, so Python computes the last day to fill for each zone.
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
     WHERE series.status = 'active' AND series.id > :after
       AND (series.expanded_until IS NULL
            OR series.expanded_until < greatest(local.today, series.schedule_date) + CAST(:days AS integer))
     ORDER BY series.id LIMIT :batch
       FOR UPDATE OF series SKIP LOCKED
    """
)


@dataclass(frozen=True)
class FillResult:
    """The result of one batch: numbers of series filled, lessons and slots stored, and occurrences skipped.

    `last` is where the next batch starts (None: this was the last).
    """

    series: int
    lessons: int
    skipped: int
    last: int | None = field(default=None, compare=False)
    # The ids of the lessons and slots.
    ids: Sequence[int] = field(default=(), compare=False)


def fill(session: Session, planning: Planning, *, batch: int, after: int = 0) -> FillResult:
    """Store the missing lessons of the next `batch` series with ids above `after`, up to the horizon.

    Existing lessons are not changed. Series locked by others are left for the next run, and those whose rule cannot be
    read until it is corrected: the days that they lack are stored then. One transaction per call.
    """
    now, horizon_days = planning.now, planning.horizon_days
    zones = session.scalars(_ZONES_DUE, {"latest": (now + TWO_DAYS).date() + timedelta(days=horizon_days)}).all()
    limits = {"days": horizon_days, "batch": batch, "after": after}
    ids = session.scalars(_DUE, {**_local_days(zones, now), **limits}).all()
    if not ids:
        return FillResult(0, 0, 0)
    due = session.scalars(rereading(select(Series).where(Series.id.in_(ids)).order_by(Series.id))).all()
    ranges = [
        DateRange(series, series.expanded_until, horizon(series, planning)) for series in due if _is_readable(series)
    ]
    plan = carry_out(session, ranges, now, rows=False)
    for days in ranges:
        days.series.expanded_until = days.until
    session.flush()
    last = ids[-1] if len(ids) == batch else None
    return FillResult(len(ranges), len(plan.new), len(plan.skips), last, [lesson.id for lesson in plan.new])


def _local_days(zones: Sequence[str], now: datetime) -> dict[str, list[str] | list[date]]:
    todays: dict[str, date] = {}
    for name in zones:
        try:
            todays[name] = today_in(name, now)
        except errors.InvalidInput as error:
            _log.error("series_unreadable", timezone=name, detail=error.detail)
    return {"zones": [*todays], "todays": [*todays.values()]}


def _is_readable(series: Series) -> bool:
    """Whether the rule can be parsed. A rule written wrongly by hand must not prevent all others from being filled."""
    try:
        recurrence_of(series)
    except errors.InvalidInput as error:
        _log.error("series_unreadable", series_id=series.id, detail=error.detail)
        return False
    return True
