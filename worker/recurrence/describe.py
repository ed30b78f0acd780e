"""Describe a rule in plain English, including the days that it silently omits."""

from collections.abc import Sequence
from datetime import date, time

from worker.calendars.ethiopian import to_ethiopian
from worker.recurrence.expand import complete
from worker.recurrence.names import MONTHS_OF, WEEKDAYS, clock, day_text, days_text, listed, nth
from worker.recurrence.rule import Rule

_UNITS = {"DAILY": "day", "WEEKLY": "week", "MONTHLY": "month", "YEARLY": "year"}
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last"}
_WORKDAYS = (0, 1, 2, 3, 4)
# Days of each month in a common and in a leap year.
_LENGTHS = {
    "GREGORIAN": [(31, 31), (28, 29), *(((30, 30), (31, 31))[month in (3, 5, 7, 8, 10, 12)] for month in range(3, 13))],
    "ETHIOPIC": [(30, 30)] * 12 + [(5, 6)],
}


def describe(subject: Rule | Sequence[date], start: time, end: time, zone_name: str, first_day: date) -> str:
    """The times of the lessons in one line: "Every Monday and Friday, 14:00 to 15:00 (Africa/Addis_Ababa), until …".

    `subject` is the rule, or the dates when there is none. Days that a rule omits (31st, 29 February) are mentioned.
    """
    days = (
        _rule(complete(subject, first_day), first_day) if isinstance(subject, Rule) else _dates(subject or (first_day,))
    )
    line = f"{days}, {clock(start)} to {clock(end)}{' the next day' if end <= start else ''} ({zone_name})"
    if not isinstance(subject, Rule):
        return line
    return f"{line}{_end(subject)}{omissions(complete(subject, first_day))}"


def _dates(days: Sequence[date]) -> str:
    if len(days) == 1:
        return f"On {WEEKDAYS[days[0].weekday()]} {day_text(days[0])}"
    return f"On {days_text(days)}"


def _rule(rule: Rule, first_day: date) -> str:
    weekdays = [weekday for ordinal, weekday in rule.by_day if ordinal == 0]
    plain = len(weekdays) == len(rule.by_day) and rule.interval == 1 and not (rule.by_set_pos or rule.by_month_day)
    if rule.freq in ("DAILY", "WEEKLY") and plain and rule.by_day:
        days = f"Every {_weekdays(weekdays)}"
    else:
        days = _every(rule)
        if on := _on(rule):
            days += f" on {on}"
    days += _months(rule)
    if rule.rscale == "ETHIOPIC":
        days += " of the Ethiopian calendar"
    return days if rule.interval == 1 else f"{days} from {day_text(first_day)}"


def _every(rule: Rule) -> str:
    unit = _UNITS[rule.freq]
    return f"Every {unit}" if rule.interval == 1 else f"Every {rule.interval} {unit}s"


def _on(rule: Rule) -> str:
    month_days = listed(_month_day(day) for day in rule.by_month_day) if rule.by_month_day else ""
    weekdays = _numbered_weekdays(rule) if rule.by_day else ""
    days = f"{month_days} that is a {weekdays.replace(' and ', ' or ')}" if month_days and weekdays else ""
    days = days or month_days or weekdays
    if not rule.by_set_pos:
        return days
    return f"the {listed(_ordinal(place) for place in rule.by_set_pos)} of {days or 'all days'}"


def _numbered_weekdays(rule: Rule) -> str:
    plain = [weekday for ordinal, weekday in rule.by_day if ordinal == 0]
    numbered = [f"the {_ordinal(ordinal)} {WEEKDAYS[weekday]}" for ordinal, weekday in rule.by_day if ordinal]
    every = "all days" if len(plain) == len(WEEKDAYS) else _weekdays(plain) if plain else ""
    return listed([*filter(None, [every]), *numbered])


def _weekdays(weekdays: Sequence[int]) -> str:
    if tuple(weekdays) == _WORKDAYS:
        return "Monday to Friday"
    return "day" if len(weekdays) == len(WEEKDAYS) else listed(WEEKDAYS[day] for day in weekdays)


def _month_day(day: int) -> str:
    return f"the {nth(day)}" if day > 0 else f"the {_ordinal(day)} day"


def _ordinal(number: int) -> str:
    """First, 6th, last, 2nd to last."""
    if number in _ORDINALS:
        return _ORDINALS[number]
    return nth(number) if number > 0 else f"{nth(-number)} to last"


def _months(rule: Rule) -> str:
    months = rule.by_month
    if not months:
        return ""
    names = [MONTHS_OF[rule.rscale][month - 1] for month in months]
    preposition = "of" if rule.by_month_day or any(ordinal for ordinal, _ in rule.by_day) else "in"
    if len(months) > 2 and months[-1] - months[0] == len(months) - 1:
        return f" {preposition} {names[0]} to {names[-1]}"
    return f" {preposition} {listed(names)}"


def _end(rule: Rule) -> str:
    if rule.count is not None:
        return ", once" if rule.count == 1 else f", {rule.count} times"
    if rule.until is None:
        return ""
    other = f" ({to_ethiopian(rule.until)})" if rule.rscale == "ETHIOPIC" else ""
    return f", until {day_text(rule.until)}{other}"


def omissions(rule: Rule) -> str:
    """ "; months without a 31st are left out", or where SKIP moves them; empty when every month has every day."""
    notes = [*_missing_days(rule), *_missing_weekdays(rule)]
    return "".join(f"; {each}" for each in notes)


def _missing_days(rule: Rule) -> list[str]:
    months = rule.by_month or range(1, rule.calendar.months + 1)
    shortest = min(_LENGTHS[rule.rscale][month - 1][0] for month in months)
    missing = [abs(day) for day in rule.by_month_day if abs(day) > shortest]
    if rule.freq not in ("MONTHLY", "YEARLY") or not missing:
        return []
    what = _what(rule, sorted(set(missing)))
    if rule.skip == "OMIT" or not any(day > shortest for day in rule.by_month_day):
        return [f"{what} are left out"]
    moved = "the last day of the month" if rule.skip == "BACKWARD" else "the first day of the next month"
    return [f"in {what} it is {moved}"]


def _what(rule: Rule, missing: list[int]) -> str:
    """What lacks the days: months, or in the case of 29 February alone, years."""
    if len(rule.by_month) == 1 and len(missing) == 1:
        month = rule.by_month[0]
        common, leap = _LENGTHS[rule.rscale][month - 1]
        if common < missing[0] <= leap:
            return f"years without {missing[0]} {MONTHS_OF[rule.rscale][month - 1]}"
    pagume = f" ({MONTHS_OF['ETHIOPIC'][-1]})" if rule.rscale == "ETHIOPIC" else ""
    return f"months without a {listed(nth(day) for day in missing)}{pagume}"


def _missing_weekdays(rule: Rule) -> list[str]:
    within_months = rule.freq == "MONTHLY" or rule.by_month
    if within_months and any(abs(ordinal) == 5 for ordinal, _ in rule.by_day):
        return ["months without a fifth one are left out"]
    return []
