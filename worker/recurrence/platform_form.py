"""The platform's own form of a recurrence: a type, with months, weekdays and years, or with single dates."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

from worker.errors import InvalidInput
from worker.recurrence.names import MONTHS_OF, WEEKDAYS, did_you_mean, month_named, weekday_named
from worker.recurrence.rule import CALENDARS, FIRST_YEAR, LAST_YEAR, Rule, rscale_of, year_window

RECURRING: Final = "recurring"
# The platform's tables spell it in both ways.
SPECIFIC: Final = frozenset({"specific", "specific_dates"})
# A year of days, which is also the most that the platform's own form sends.
MOST_DATES: Final = 366
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@dataclass(frozen=True)
class PlatformForm:
    """The fields of the platform's form. No months means all of them; `year` alone means that one year.

    Months are English names or 1 to 12; in the calendar "ethiopian", Ethiopian names or 1 to 13, and Ethiopian years.
    """

    schedule_type: str
    months: Sequence[str | int] = ()
    days: Sequence[str] = ()
    year: int | None = None
    year_to: int | None = None
    specific_dates: Sequence[str | date] = ()
    calendar: str = "gregorian"


def rule_of(words: PlatformForm, first_day: date) -> Rule | list[date]:
    """The weekly rule, or the sorted dates without duplicates, that the form defines.

    With specific dates all other fields are ignored: forms also send leftovers of the other type. `first_day` gives the
    year from which `year_to` alone starts. Raises InvalidInput for invalid or empty fields.
    """
    if type_of(words) in SPECIFIC:
        return dates_of(words.specific_dates)
    if words.specific_dates:
        raise InvalidInput('specific_dates belong to schedule_type "specific", not to "recurring".')
    days = weekdays_of(words.days)
    if not days:
        raise InvalidInput('days: name at least one day of the week, such as "Monday".')
    _, until = window_of(words, first_day)
    months = months_of(words.months, words.calendar)
    return Rule(
        "WEEKLY",
        until=until,
        by_month=months,
        by_day=tuple((0, day) for day in days),
        rscale=rscale_of(words.calendar) if months else "GREGORIAN",
    )


def type_of(words: PlatformForm) -> str:
    """The type in its canonical spelling. Raises InvalidInput for an unknown one."""
    said = words.schedule_type.strip().casefold().replace("-", "_").replace(" ", "_")
    if said != RECURRING and said not in SPECIFIC:
        raise InvalidInput(f"schedule_type must be recurring, specific or specific_dates, not {said[:40]!r}.")
    return said


def window_of(words: PlatformForm, first_day: date) -> tuple[date, date | None]:
    """The first and the last day that the years allow; without years, from `first_day` on without end."""
    year = words.year
    if year is None and words.year_to is not None:
        year = CALENDARS[rscale_of(words.calendar)].split(first_day.toordinal())[0]
    if year is None:
        return first_day, None
    begin, end = year_window(year, words.year_to, CALENDARS[rscale_of(words.calendar)])
    return max(begin, first_day), end


def weekdays_of(days: Sequence[str]) -> list[int]:
    """Weekdays in the week's order, Monday as 0. A list in one string ("Monday, Friday") is split."""
    found = set()
    for name in _each(days):
        weekday = weekday_named(name)
        if weekday is None:
            raise InvalidInput(f"days: “{name[:40]}” is not a day of the week{did_you_mean(name, WEEKDAYS) or '.'}")
        found.add(weekday)
    return sorted(found)


def months_of(months: Sequence[str | int], calendar: str = "gregorian") -> tuple[int, ...]:
    """Months in the year's order, January or Meskerem as 1; empty when all or none are named."""
    rscale = rscale_of(calendar)
    most = CALENDARS[rscale].months
    found = set()
    for name in _each(months):
        month = int(name) if re.fullmatch(r"[0-9]{1,2}", name) else month_named(name, rscale)
        if month is None or not 1 <= month <= most:
            near = did_you_mean(name, MONTHS_OF[rscale]) or f"; name it in English or give 1 to {most}."
            raise InvalidInput(f"months: “{name[:40]}” is not a month of the {calendar.strip()} calendar{near}")
        found.add(month)
    return tuple(sorted(found)) if len(found) < most else ()


def dates_of(dates: Sequence[str | date], *, field: str = "specific_dates") -> list[date]:
    """Sorted dates without duplicates. Raises InvalidInput for none, too many, or an invalid one."""
    found = sorted({_date(each, field) for each in dates})
    if not found:
        raise InvalidInput(f'{field}: name at least one date, such as "2026-01-31".')
    if len(found) > MOST_DATES:
        raise InvalidInput(f"{field}: {len(found)} dates are more than {MOST_DATES}; make several series of them.")
    return found


def _date(said: str | date, field: str) -> date:
    try:
        if isinstance(said, str):
            # fromisoformat would also take 20260131 and 2026-W05-6, which are as likely mistakes.
            if not _DATE.fullmatch(said.strip()):
                raise InvalidInput(f"{field}: {said[:40]!r} is not a date like 2026-01-31.")
            said = date.fromisoformat(said.strip())
    except ValueError as error:
        raise InvalidInput(f"{field}: there is no day {said!r}.") from error
    if not FIRST_YEAR <= said.year <= LAST_YEAR:
        raise InvalidInput(f"{field}: {said} is not between the years {FIRST_YEAR} and {LAST_YEAR}.")
    return said


def _each(said: Sequence[str | int]) -> list[str]:
    """Every name, stripped of spaces; empty ones are omitted."""
    names = [part.strip() for item in said for part in str(item).split(",")]
    return [name for name in names if name]
