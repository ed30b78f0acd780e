"""Convert the times in a request or package to the form of `POST /v1/schedules`. Pure."""

import re
from collections.abc import Iterable, Mapping
from datetime import time
from typing import Any

from worker.errors import InvalidInput
from worker.recurrence.names import MONTHS, WEEKDAYS
from worker.recurrence.platform_days import dates_of, months_of, weekdays_of

_YEAR = re.compile(r"[0-9]{4}")
_SINGLE_DATES = frozenset({"specific", "specific_dates", "specific-dates"})


def requested_schedule(
    *,
    schedule_type: str | None,
    years: Any,
    months: Any,
    days: Any,
    dates: Any,
    times: tuple[time | None, time | None],
    timezone: str,
) -> Mapping[str, Any] | None:
    """The times in our form; None if they say nothing: no type, no days, no dates or no times of day.

    The lists are JSON that nobody has checked. Leftovers of the other type are dropped. Raises InvalidInput for invalid
    days, months or dates.
    """
    start, end = times
    if start is None or end is None:
        return None
    clock = {"start_time": f"{start:%H:%M}", "end_time": f"{end:%H:%M}", "timezone": timezone}
    name = (schedule_type or "").strip().casefold()
    if name in _SINGLE_DATES and dates:
        return {
            "schedule_type": "specific",
            "specific_dates": [day.isoformat() for day in dates_of(_texts("specific_dates", dates))],
            **clock,
        }
    if name != "recurring" or not days:
        return None
    weekdays = [WEEKDAYS[day] for day in weekdays_of(_texts("days", days))]
    if not weekdays:
        return None
    named = [MONTHS[month - 1] for month in months_of(_texts("months", months), "GREGORIAN")]
    return {"schedule_type": "recurring", "days": weekdays, "months": named, **_years(_texts("years", years)), **clock}


def _texts(field: str, written: Any) -> list[str]:
    """The elements of a JSON list as text; one alone is a list of one. Raises InvalidInput for others than these."""
    elements = written if isinstance(written, list) else [] if written is None else [written]
    for element in elements:
        if not isinstance(element, str | int) or isinstance(element, bool):
            raise InvalidInput(f"{field}: {str(element)[:40]} is neither a name nor a number.")
    return [str(element) for element in elements]


def _years(written: Iterable[str]) -> dict[str, int]:
    """The first and the last year, in whatever order they are written; empty without any, which means from now on."""
    years = sorted(int(year) for year in written if _YEAR.fullmatch(year.strip()))
    if not years:
        return {}
    return {"year": years[0]} if years[0] == years[-1] else {"year": years[0], "year_to": years[-1]}
