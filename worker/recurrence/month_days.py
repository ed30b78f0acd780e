"""The days that a rule names in one month or one year, as day numbers (date.toordinal)."""

from worker.recurrence.rule import Rule


def weekday_of(day: int) -> int:
    """0 for Monday, which day number 1 was."""
    return (day - 1) % 7


def days_of_month(rule: Rule, year: int, month: int) -> set[int]:
    """The days of a month that a rule names; weekdays with a number are counted within the month."""
    if rule.by_month and month not in rule.by_month:
        return set()
    start = rule.calendar.start(year, month)
    end = start + rule.calendar.length(year, month)
    named = _named(rule, year, month) if rule.by_month_day else None
    return _on_weekdays(rule, named, start, end)


def days_of_year(rule: Rule, year: int) -> set[int]:
    """The days of a year that a rule names; without BYMONTH, weekdays with a number are counted within the year."""
    if rule.by_month:
        return {day for month in rule.by_month for day in days_of_month(rule, year, month)}
    start, end = rule.calendar.start(year, 1), rule.calendar.start(year + 1, 1)
    named = None
    if rule.by_month_day:
        named = {day for month in range(1, rule.calendar.months + 1) for day in _named(rule, year, month)}
    return _on_weekdays(rule, named, start, end)


def _named(rule: Rule, year: int, month: int) -> set[int]:
    """The days of BYMONTHDAY. A day that the month lacks is moved according to SKIP.

    It is omitted if it is counted from the end, and in daily rules, which select among existing days.
    """
    start, length = rule.calendar.start(year, month), rule.calendar.length(year, month)
    numbers = set()
    for number in rule.by_month_day:
        if -length <= number <= length:
            numbers.add(start + (number - 1 if number > 0 else length + number))
        elif number > 0 and rule.skip != "OMIT" and rule.freq != "DAILY":
            numbers.add(start + length - (rule.skip == "BACKWARD"))
    return numbers


def _on_weekdays(rule: Rule, named: set[int] | None, start: int, end: int) -> set[int]:
    """The days of `named` (None: all from `start` to before `end`) that fall on weekdays of BYDAY."""
    if not rule.by_day:
        return set(range(start, end)) if named is None else named
    # Applied after SKIP (RFC 7529 §4.1): the weekday of a day that was moved out of the month is checked too.
    days = range(start, end) if named is None else named
    every = {weekday for ordinal, weekday in rule.by_day if ordinal == 0}
    matching = {day for day in days if weekday_of(day) in every} if every else set()
    counted = {_counted(ordinal, weekday, start, end) for ordinal, weekday in rule.by_day if ordinal}
    return matching | {day for day in counted if start <= day < end and (named is None or day in named)}


def _counted(ordinal: int, weekday: int, start: int, end: int) -> int:
    """The day of e.g. the second Monday (2, 0) or the last Friday (-1, 4), which may be outside the period."""
    if ordinal > 0:
        return start + (weekday - weekday_of(start)) % 7 + 7 * (ordinal - 1)
    return end - 1 - (weekday_of(end - 1) - weekday) % 7 + 7 * (ordinal + 1)
