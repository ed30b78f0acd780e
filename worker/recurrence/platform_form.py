"""The platform's own form of a recurrence: a type, with months, weekdays and years, or with single dates."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, NamedTuple

from worker.calendars.months import GREGORIAN, Calendar
from worker.errors import InvalidInput
from worker.recurrence.platform_days import dates_of, months_of, weekdays_of
from worker.recurrence.rule import CALENDARS, FIRST_YEAR, LAST_YEAR, Rule

_RECURRING: Final = "recurring"
# The platform's tables have both spellings.
_SPECIFIC: Final = frozenset({"specific", "specific_dates"})


@dataclass(frozen=True)
class PlatformForm:
    """The fields of the platform's form. Without months, all of them apply; `year` alone means that one year.

    Without a type, dates mean "specific", anything else "recurring". Months are English names or 1 to 12; in the
    Ethiopian calendar, Ethiopian names or 1 to 13, and years are Ethiopian.
    """

    schedule_type: str | None = None
    months: Sequence[str | int] = ()
    days: Sequence[str] = ()
    year: int | None = None
    year_to: int | None = None
    specific_dates: Sequence[str | date] = ()

    def is_empty(self) -> bool:
        """Whether no field is filled in."""
        years = (self.year, self.year_to)
        return not (self._type or self.months or self.days or self.specific_dates or years != (None, None))

    def is_specific(self) -> bool:
        """Whether it names single dates. Raises InvalidInput for an unknown type."""
        name = (self._type or "").casefold().replace("-", "_").replace(" ", "_")
        if name and name != _RECURRING and name not in _SPECIFIC:
            raise InvalidInput(f"schedule_type must be recurring, specific or specific_dates, not {name[:40]!r}.")
        return name in _SPECIFIC if name else bool(self.specific_dates)

    @property
    def _type(self) -> str:
        return (self.schedule_type or "").strip()


class FormDays(NamedTuple):
    """The days that a form defines: those of a weekly rule from `first_day` on, or `dates`, sorted and unique."""

    first_day: date
    rule: Rule | None = None
    dates: Sequence[date] = ()


def read_form(form: PlatformForm, first_day: date | None, rscale: str) -> FormDays | None:
    """The days of the form; None when it is empty. `rscale` is the calendar of its months and years.

    With specific dates all other fields are ignored: forms also send leftovers of the other type. `first_day` may be
    missing where `year` or dates determine it. Raises InvalidInput for invalid or missing fields.
    """
    if form.is_empty():
        return None
    if form.is_specific():
        dates = dates_of(form.specific_dates)
        return FormDays(dates[0], dates=dates)
    begin, until = window_of(form, first_day, rscale)
    return FormDays(begin, rule=_weekly_rule(form, until, rscale))


def _weekly_rule(form: PlatformForm, until: date | None, rscale: str) -> Rule:
    if form.specific_dates:
        raise InvalidInput('specific_dates belong to schedule_type "specific", not to "recurring".')
    days = weekdays_of(form.days)
    if not days:
        raise InvalidInput('days: name at least one day of the week, such as "Monday".')
    months = months_of(form.months, rscale)
    return Rule(
        "WEEKLY",
        until=until,
        by_month=months,
        by_day=tuple((0, day) for day in days),
        rscale=rscale if months else "GREGORIAN",
    )


def window_of(form: PlatformForm, first_day: date | None, rscale: str) -> tuple[date, date | None]:
    """The first and the last day that the years allow; without years, from `first_day` with no end.

    `year_to` alone starts with the year of `first_day`. Raises InvalidInput when both `first_day` and `year` are
    missing.
    """
    if first_day is None and form.year is None:
        raise InvalidInput("schedule_date is missing: the first day, such as 2026-01-31.")
    calendar, earliest = CALENDARS[rscale], first_day or date.min
    year = form.year
    if year is None and form.year_to is not None:
        year = calendar.split(earliest.toordinal())[0]
    if year is None:
        return earliest, None
    begin, end = year_window(year, form.year_to, calendar)
    return max(begin, earliest), end


def year_window(year: int, year_to: int | None = None, calendar: Calendar = GREGORIAN) -> tuple[date, date]:
    """The first and the last day of the years `year` to `year_to`, inclusive; `year` alone is that one year.

    Raises InvalidInput when the window ends before it begins or is out of range.
    """
    last = year if year_to is None else year_to
    if last < year:
        raise InvalidInput(f"year_to {last} is before year {year}.")
    low, high = (calendar.split(date(each, 7, 1).toordinal())[0] for each in (FIRST_YEAR, LAST_YEAR))
    for each in (year, last):
        if not low <= each <= high:
            raise InvalidInput(f"The year {each} is not between {low} and {high}.")
    return date.fromordinal(calendar.start(year, 1)), date.fromordinal(calendar.start(last + 1, 1) - 1)


def combine(rule: Rule, form: PlatformForm, until: date | None, rscale: str) -> Rule:
    """Restrict a pattern's rule to the months (of the calendar `rscale`), weekdays and years (`until`) of the form.

    The rule must be complete. Raises InvalidInput where the two contradict each other.
    """
    days = tuple((0, day) for day in weekdays_of(form.days))
    if days and (rule.freq != "WEEKLY" or rule.by_day != days):
        raise InvalidInput(f"recurrence_pattern and days contradict each other: {', '.join(form.days)} and {rule}.")
    return _within_years(_within_months(rule, form, rscale), until)


def _within_months(rule: Rule, form: PlatformForm, rscale: str) -> Rule:
    months = months_of(form.months, rscale)
    if not months or (rule.by_month, rule.rscale) == (months, rscale):
        return rule
    # A weekly or daily rule gets its calendar with its months. In a yearly rule the months decide what is counted.
    free = rule.freq in ("DAILY", "WEEKLY") or (rule.freq == "MONTHLY" and rule.rscale == rscale)
    if rule.by_month or not free:
        raise InvalidInput(f"recurrence_pattern and months contradict each other: {rule} and {form.months}.")
    return replace(rule, by_month=months, rscale=rscale)


def _within_years(rule: Rule, until: date | None) -> Rule:
    if until is None:
        return rule
    if rule.count is not None:
        raise InvalidInput("recurrence_pattern ends after a number of times and year or year_to on a day; keep one.")
    return replace(rule, until=min(until, rule.until or until))
