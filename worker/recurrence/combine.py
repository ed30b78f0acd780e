"""Combine a pattern and the platform's own fields of one request: each may add to the other but not contradict it."""

from dataclasses import replace
from datetime import date

from worker.errors import InvalidInput
from worker.recurrence.platform_form import PlatformForm, months_of, weekdays_of
from worker.recurrence.rule import Rule


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
    # A rule of weeks or days gets its calendar with its months; in a yearly one the months say what is counted.
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
