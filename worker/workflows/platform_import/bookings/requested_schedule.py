"""Convert the times in a request or package to the form of `POST /v1/schedules`. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import time
from typing import Any

from worker.recurrence.names import MONTHS, WEEKDAYS
from worker.recurrence.platform_days import dates_of, months_of, weekdays_of

_SINGLE_DATES = frozenset({"specific", "specific_dates", "specific-dates"})


def requested_schedule(
    *,
    schedule_type: str | None,
    years: Sequence[Any] | None,
    months: Sequence[str | int] | None,
    days: Sequence[str] | None,
    dates: Sequence[str] | None,
    times: tuple[time | None, time | None],
    timezone: str,
) -> Mapping[str, Any] | None:
    """The times in our form; None if they say nothing: no type, no days, no dates or no times of day.

    Leftovers of the other type are dropped. Raises InvalidInput for invalid days, months or dates.
    """
    start, end = times
    if start is None or end is None:
        return None
    clock = {"start_time": f"{start:%H:%M}", "end_time": f"{end:%H:%M}", "timezone": timezone}
    name = (schedule_type or "").strip().casefold()
    if name in _SINGLE_DATES and dates:
        return {"schedule_type": "specific", "specific_dates": [day.isoformat() for day in dates_of(dates)], **clock}
    if name != "recurring" or not days:
        return None
    weekdays = [WEEKDAYS[day] for day in weekdays_of(days)]
    if not weekdays:
        return None
    named = [MONTHS[month - 1] for month in months_of(months or (), "GREGORIAN")]
    return {"schedule_type": "recurring", "days": weekdays, "months": named, **_years(years or ()), **clock}


def _years(written: Iterable[Any]) -> dict[str, int]:
    """The first and the last year, in whatever order they are written; empty without any, which means from now on."""
    years = sorted(int(year) for year in written if str(year).strip().isdigit())
    if not years:
        return {}
    return {"year": years[0]} if years[0] == years[-1] else {"year": years[0], "year_to": years[-1]}
