"""Convert a stored series to its rule, its days and their instants."""

from collections.abc import Iterable
from datetime import date, datetime, timedelta

from models.series import Series
from worker.calendars.zones import zone
from worker.recurrence.instants import instants_of
from worker.recurrence.request import Recurrence
from worker.recurrence.rule import parse_rule
from worker.schedules.planning import Planning
from worker.schedules.series.series_state import Occurrence

# A local day and the day in UTC differ by at most one.
TWO_DAYS = timedelta(days=2)


def recurrence_of(series: Series, excluded: Iterable[date] = ()) -> Recurrence:
    """The rule or the dates of the series, without the days `excluded`."""
    return Recurrence(
        rule=parse_rule(series.rrule) if series.rrule is not None else None,
        dates=tuple(series.dates or ()),
        first_day=series.schedule_date,
        start_time=series.start_time,
        end_time=series.end_time,
        timezone=series.timezone,
        excluded=frozenset(excluded),
    )


def occurrences(recurrence: Recurrence, after: date | None, until: date) -> list[Occurrence]:
    """The days after `after` (None: from the first) up to `until`, with their instants."""
    days = recurrence.days(after, until)
    placed = instants_of(days, recurrence.start_time, recurrence.end_time, zone(recurrence.timezone))
    return [Occurrence(day, *when) for day, when in zip(days, placed, strict=True)]


def today_in(timezone: str, now: datetime) -> date:
    """Today's date in the zone."""
    return now.astimezone(zone(timezone)).date()


def horizon(series: Series, planning: Planning) -> date:
    """The last local day up to which lessons of the series are stored."""
    first_day = max(today_in(series.timezone, planning.now), series.schedule_date)
    return first_day + timedelta(days=planning.horizon_days)
