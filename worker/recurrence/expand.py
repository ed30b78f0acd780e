"""Compute the days of a rule by arithmetic on day numbers: a rule from decades ago costs no more than a new one."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from itertools import islice

from worker.errors import InvalidInput
from worker.recurrence.periods import walk
from worker.recurrence.rule import MAX_OCCURRENCES, Rule

_LAST = date.max.toordinal()
# The iteration may start this many days before the requested ones.
_LONGEST_PERIOD = 366


def occurrences(rule: Rule, first_day: date, *, after: date | None = None, until: date) -> list[date]:
    """The days of the rule, in order: strictly after `after` (None: from `first_day`) up to and including `until`.

    Counting (COUNT, the phase of INTERVAL) starts at `first_day`, which is itself a day of the rule only if it matches.
    Raises InvalidInput when no day ever matches, or when more than 10 000 do.
    """
    first = first_day.toordinal()
    floor = first if after is None else max(first, after.toordinal() + 1)
    ceiling = min(until, rule.until or until).toordinal()
    if ceiling < floor:
        return []
    most = rule.count or MAX_OCCURRENCES + _LONGEST_PERIOD
    days = list(islice(walk(complete(rule, first_day), first, floor, ceiling), most))
    days = days[bisect_left(days, floor) : bisect_right(days, ceiling)]
    if len(days) > MAX_OCCURRENCES:
        raise InvalidInput(f"More than {MAX_OCCURRENCES} days lie up to {until}; ask for fewer.")
    return [date.fromordinal(day) for day in days]


def first_days(rule: Rule, first_day: date, *, after: date | None = None) -> Iterator[date]:
    """The days of the rule, computed lazily one by one; otherwise as `occurrences`."""
    first = first_day.toordinal()
    floor = first if after is None else max(first, after.toordinal() + 1)
    ceiling = rule.until.toordinal() if rule.until else _LAST
    days = islice(walk(complete(rule, first_day), first, floor, ceiling), rule.count)
    return (date.fromordinal(day) for day in days if floor <= day <= ceiling)


def first_match(rule: Rule, first_day: date) -> date:
    """The first day of the rule at or after `first_day`. Raises InvalidInput when there is none."""
    day = next(first_days(rule, first_day), None)
    if day is None:
        end = f"; it ends on {rule.until}" if rule.until else ""
        raise InvalidInput(f"No day matches the rule from {first_day} on{end}.")
    return day


def complete(rule: Rule, first_day: date) -> Rule:
    """The rule with what RFC 5545 derives from the first day made explicit: weekday, day of the month, month.

    A rule stored this way keeps its meaning when its first day moves.
    """
    if rule.freq == "DAILY" or rule.by_day or rule.by_month_day:
        return rule
    if rule.freq == "WEEKLY":
        return replace(rule, by_day=((0, first_day.weekday()),))
    _, month, day = rule.calendar.split(first_day.toordinal())
    by_month = rule.by_month if rule.by_month or rule.freq == "MONTHLY" else (month,)
    return replace(rule, by_month=by_month, by_month_day=(day,))
