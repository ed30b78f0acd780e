"""The days that a rule silently omits: the 31st of short months, 29 February, a fifth Friday."""

from worker.recurrence.names import MONTHS_OF, listed, nth
from worker.recurrence.rule import Rule

# Days of each month in a common and in a leap year.
_LENGTHS = {
    "GREGORIAN": [(31, 31), (28, 29), *(((30, 30), (31, 31))[month in (3, 5, 7, 8, 10, 12)] for month in range(3, 13))],
    "ETHIOPIC": [(30, 30)] * 12 + [(5, 6)],
}


def omissions(rule: Rule) -> str:
    """ "; months without a 31st are left out", or where SKIP moves them; nothing when every month has every day."""
    said = [*_missing_days(rule), *_missing_weekdays(rule)]
    return "".join(f"; {each}" for each in said)


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
    """Months, or for 29 February alone, years."""
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
