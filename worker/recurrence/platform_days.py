"""Parse the weekdays, months and dates of the platform's form."""

import re
from collections.abc import Sequence
from datetime import date
from typing import Final

from worker.errors import InvalidInput
from worker.recurrence.names import MONTHS_OF, WEEKDAYS, did_you_mean, month_named, weekday_named
from worker.recurrence.rule import CALENDARS, FIRST_YEAR, LAST_YEAR

_CALENDAR_NAMES: Final = {"GREGORIAN": "gregorian", "ETHIOPIC": "ethiopian"}
# A year of days, which is also the most that the platform's own form sends.
MAX_DATES: Final = 366
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def weekdays_of(days: Sequence[str]) -> list[int]:
    """Weekdays in the week's order, Monday as 0. A list in one string ("Monday, Friday") is split."""
    weekdays = set()
    for name in _names(days):
        weekday = weekday_named(name)
        if weekday is None:
            raise InvalidInput(f"days: “{name[:40]}” is not a day of the week{did_you_mean(name, WEEKDAYS) or '.'}")
        weekdays.add(weekday)
    return sorted(weekdays)


def months_of(months: Sequence[str | int], rscale: str) -> tuple[int, ...]:
    """Months in the year's order, January or Meskerem as 1; empty when all or none are named."""
    most = CALENDARS[rscale].months
    numbers = set()
    for name in _names(months):
        month = int(name) if re.fullmatch(r"[0-9]{1,2}", name) else month_named(name, rscale)
        if month is None or not 1 <= month <= most:
            near = did_you_mean(name, MONTHS_OF[rscale]) or f"; name it in English or give 1 to {most}."
            raise InvalidInput(f"months: “{name[:40]}” is not a month of the {_CALENDAR_NAMES[rscale]} calendar{near}")
        numbers.add(month)
    return tuple(sorted(numbers)) if len(numbers) < most else ()


def dates_of(dates: Sequence[str | date], *, field: str = "specific_dates") -> list[date]:
    """Sorted dates without duplicates. Raises InvalidInput for none, too many, or an invalid one."""
    days = sorted({_date(each, field) for each in dates})
    if not days:
        raise InvalidInput(f'{field}: name at least one date, such as "2026-01-31".')
    if len(days) > MAX_DATES:
        raise InvalidInput(f"{field}: {len(days)} dates are more than {MAX_DATES}; make several series of them.")
    return days


def _date(value: str | date, field: str) -> date:
    try:
        if isinstance(value, str):
            # fromisoformat would also accept 20260131 and 2026-W05-6, which are more likely mistakes.
            if not _DATE.fullmatch(value.strip()):
                raise InvalidInput(f"{field}: {value[:40]!r} is not a date like 2026-01-31.")
            value = date.fromisoformat(value.strip())
    except ValueError as error:
        raise InvalidInput(f"{field}: there is no day {value!r}.") from error
    if not FIRST_YEAR <= value.year <= LAST_YEAR:
        raise InvalidInput(f"{field}: {value} is not between the years {FIRST_YEAR} and {LAST_YEAR}.")
    return value


def _names(values: Sequence[str | int]) -> list[str]:
    """All names without surrounding spaces; empty ones are omitted."""
    names = [part.strip() for value in values for part in str(value).split(",")]
    return [name for name in names if name]
