"""Iterate over a rule by period (day, week, month, year), on day numbers (date.toordinal).

Without COUNT the iteration starts at the period of the requested day, a whole number of intervals after the first.
"""

from collections.abc import Collection, Iterator
from datetime import date
from itertools import count

from worker.errors import InvalidInput
from worker.recurrence.month_days import days_of_month, days_of_year, weekday_of
from worker.recurrence.rule import Rule

# After so many consecutive periods without a day none will follow: both calendars repeat within 400 years, and a
# hundred years of weeks exceed any lesson's. This ends the search for 30 February.
_MAX_EMPTY = {"YEARLY": 400, "MONTHLY": 400 * 13, "DAILY": 400 * 13, "WEEKLY": 100 * 53}
_LAST = date.max.toordinal()


def walk(rule: Rule, first: int, floor: int, ceiling: int) -> Iterator[int]:
    """Days of the rule in order, none before `first`, and at least all those from `floor` to `ceiling`.

    The rule must be complete. Raises InvalidInput after so many periods without a match that none can follow.
    """
    begin = first if rule.count else max(first, floor)
    if rule.freq == "DAILY" and not (rule.by_month or rule.by_month_day or rule.by_day):
        skipped = -(-(begin - first) // rule.interval) * rule.interval
        return iter(range(first + skipped, ceiling + 1, rule.interval))
    if rule.freq == "WEEKLY" and not (rule.by_month or rule.by_set_pos):
        return _plain_weeks(rule, first, begin, ceiling)
    return _walk_periods(rule, first, begin, ceiling)


def _plain_weeks(rule: Rule, first: int, begin: int, ceiling: int) -> Iterator[int]:
    offsets = sorted((weekday - rule.week_start) % 7 for _, weekday in rule.by_day)
    weeks = range(_first_week(rule, first, begin), ceiling + 1, 7 * rule.interval)
    return (day for week in weeks for offset in offsets if (day := week + offset) >= first)


def _walk_periods(rule: Rule, first: int, begin: int, ceiling: int) -> Iterator[int]:
    periods = {"YEARLY": _years, "MONTHLY": _months, "WEEKLY": _weeks, "DAILY": _months_of_days}[rule.freq]
    last, empty = first - 1, 0
    for start, named in periods(rule, first, begin):
        if start > ceiling:
            return
        days = sorted(named)
        if rule.by_set_pos and rule.freq != "DAILY":
            days = _pick(days, rule.by_set_pos)
        empty = 0 if days else empty + 1
        if empty > _MAX_EMPTY[rule.freq]:
            raise InvalidInput(f"No day matches the rule {rule}.")
        for day in days:
            # A day moved forward out of its month may be a day of the next month as well.
            if day > last:
                yield day
                last = day


def _pick(days: list[int], positions: tuple[int, ...]) -> list[int]:
    indexes = {place - 1 if place > 0 else len(days) + place for place in positions}
    return [days[index] for index in sorted(indexes) if 0 <= index < len(days)]


def _years(rule: Rule, first: int, begin: int) -> Iterator[tuple[int, Collection[int]]]:
    calendar = rule.calendar
    for year in _steps(rule, calendar.split(first)[0], calendar.split(begin)[0]):
        yield calendar.start(year, 1), days_of_year(rule, year)


def _months(rule: Rule, first: int, begin: int) -> Iterator[tuple[int, Collection[int]]]:
    for index in _steps(rule, _month_index(rule, first), _month_index(rule, begin)):
        year, month = divmod(index, rule.calendar.months)
        yield rule.calendar.start(year, month + 1), days_of_month(rule, year, month + 1)


def _months_of_days(rule: Rule, first: int, begin: int) -> Iterator[tuple[int, Collection[int]]]:
    """A daily rule that omits days, by month: a hundred days without a match are four steps."""
    # The set of each period is a single day, whose only positions are 1 and -1.
    never = rule.by_set_pos and not {1, -1} & set(rule.by_set_pos)
    for index in count(_month_index(rule, begin)):
        year, month = divmod(index, rule.calendar.months)
        named = () if never else days_of_month(rule, year, month + 1)
        yield (
            rule.calendar.start(year, month + 1),
            [day for day in named if day >= first and (day - first) % rule.interval == 0],
        )


def _weeks(rule: Rule, first: int, begin: int) -> Iterator[tuple[int, Collection[int]]]:
    weekdays = {weekday for _, weekday in rule.by_day}
    for week in count(_first_week(rule, first, begin), 7 * rule.interval):
        days = [day for day in range(max(week, 1), min(week + 6, _LAST) + 1) if weekday_of(day) in weekdays]
        yield week, [day for day in days if not rule.by_month or rule.calendar.split(day)[1] in rule.by_month]


def _first_week(rule: Rule, first: int, begin: int) -> int:
    """The start of the last week of the rule that starts at or before `begin`."""
    week = first - (weekday_of(first) - rule.week_start) % 7
    step = 7 * rule.interval
    return week + (begin - week) // step * step


def _month_index(rule: Rule, day: int) -> int:
    year, month, _ = rule.calendar.split(day)
    return year * rule.calendar.months + month - 1


def _steps(rule: Rule, at_first: int, at_begin: int) -> Iterator[int]:
    """The numbers of the rule's years or months, from the last one at or before `at_begin`."""
    start = at_first + (at_begin - at_first) // rule.interval * rule.interval
    # Days moved forward reach into the next period: 31 February is 1 March.
    if rule.skip == "FORWARD" and rule.interval == 1:
        start -= 1
    return count(start, rule.interval)
