"""Two calendars with one interface: years of months of days, on day numbers (date.toordinal).

Plain integers, because a `date` ends at the year 9999 and costs more than the arithmetic done here.
"""

from datetime import date
from typing import Protocol

from worker.calendars import ethiopian

_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365)
_BEFORE_LEAP = (0, 31, 60, 91, 121, 152, 182, 213, 244, 274, 305, 335, 366)


class Calendar(Protocol):
    """The interface that recurrence rules need."""

    months: int
    longest_month: int

    def start(self, year: int, month: int) -> int:
        """The day number of the first day of a month."""

    def length(self, year: int, month: int) -> int:
        """How many days the month has."""

    def split(self, ordinal: int) -> tuple[int, int, int]:
        """Year, month and day of a day number."""


class Gregorian:
    """The civil calendar, also beyond the year 9999."""

    months = 12
    longest_month = 31

    def start(self, year: int, month: int) -> int:
        """The day number of the first day of a month."""
        past = year - 1
        return 365 * past + past // 4 - past // 100 + past // 400 + _before(year)[month - 1] + 1

    def length(self, year: int, month: int) -> int:
        """How many days the month has."""
        before = _before(year)
        return before[month] - before[month - 1]

    def split(self, ordinal: int) -> tuple[int, int, int]:
        """Year, month and day of a day number."""
        day = date.fromordinal(ordinal)
        return day.year, day.month, day.day


class Ethiopian:
    """Thirteen months; see `worker.calendars.ethiopian`."""

    months = ethiopian.MONTHS
    longest_month = 30

    def start(self, year: int, month: int) -> int:
        """The day number of the first day of a month."""
        return ethiopian.month_start(year, month)

    def length(self, year: int, month: int) -> int:
        """How many days the month has."""
        return ethiopian.month_length(year, month)

    def split(self, ordinal: int) -> tuple[int, int, int]:
        """Year, month and day of a day number."""
        return ethiopian.split(ordinal)


def _before(year: int) -> tuple[int, ...]:
    leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return _BEFORE_LEAP if leap else _BEFORE


GREGORIAN: Calendar = Gregorian()
ETHIOPIAN: Calendar = Ethiopian()


def add_months(calendar: Calendar, day: date, number: int) -> date:
    """`day` plus `number` months, clamped to the last day of the resulting month."""
    year, month, month_day = calendar.split(day.toordinal())
    years, rest = divmod(month - 1 + number, calendar.months)
    year, month = year + years, rest + 1
    day_of_month = min(month_day, calendar.length(year, month))
    return date.fromordinal(calendar.start(year, month) + day_of_month - 1)
