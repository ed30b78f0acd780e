"""The requested times of a lesson, in any supported form, converted to one value with concrete days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from itertools import islice

from worker.calendars.zones import zone, zone_name
from worker.errors import InvalidInput
from worker.recurrence.describe import describe
from worker.recurrence.expand import complete, first_days, first_match, occurrences
from worker.recurrence.names import days_text
from worker.recurrence.phrase_parser import parse_phrase
from worker.recurrence.platform_days import dates_of
from worker.recurrence.platform_form import PlatformForm, combine, read_form, window_of
from worker.recurrence.rrule_text import is_rule_text
from worker.recurrence.rule import FIRST_YEAR, LAST_YEAR, Rule, rscale_of


@dataclass(frozen=True)
class TimeRequest:
    """The time fields of a request, unparsed; times are local to `timezone`.

    `schedule_date` may be omitted only where the form's `year` or `specific_dates` determine the start.
    """

    schedule_date: date | None
    start_time: time
    end_time: time
    timezone: str
    recurrence_pattern: str | None = None
    exdates: Sequence[str | date] = ()
    form: PlatformForm | None = None
    calendar: str = "gregorian"


@dataclass(frozen=True)
class Recurrence:
    """The days of a lesson: those of `rule`, or else `dates`, without the excluded ones.

    `first_day` is where counting begins: the first day that the rule matches. An `end_time` at or before `start_time`
    is on the next day.
    """

    rule: Rule | None
    dates: tuple[date, ...]
    first_day: date
    start_time: time
    end_time: time
    timezone: str
    excluded: frozenset[date] = frozenset()

    @property
    def is_single(self) -> bool:
        """Whether it is one lesson that never repeats."""
        return self.rule is None and len(self.dates) == 1

    def days(self, after: date | None, until: date) -> list[date]:
        """The days strictly after `after` (None: from the first) up to and including `until`, in order."""
        if self.rule is not None:
            days = occurrences(self.rule, self.first_day, after=after, until=until)
        else:
            days = [day for day in self.dates if day <= until and (after is None or day > after)]
        return [day for day in days if day not in self.excluded] if self.excluded else days

    def next_days(self, number: int, after: date | None = None) -> list[date]:
        """The next `number` days, or as many as there are, strictly after `after` (None: from the first)."""
        if self.rule is not None:
            days = first_days(self.rule, self.first_day, after=after)
        else:
            days = iter(self.days(after, date.max))
        return list(islice((day for day in days if day not in self.excluded), number))

    def text(self) -> str:
        """The whole recurrence in plain English, one line."""
        days = describe(self.rule or self.dates, self.start_time, self.end_time, self.timezone, self.first_day)
        return f"{days}, except {days_text(sorted(self.excluded))}" if self.excluded else days


def read_recurrence(request: TimeRequest) -> Recurrence:
    """The recurrence that a request asks for; a single lesson is one date and no rule (`is_single`).

    A pattern, the platform's form, or both when they agree. A first day that the rule does not match moves to its
    first match. Raises InvalidInput for what is invalid, contradictory or leaves no day.
    """
    rscale = _checked_rscale(request)
    form, pattern = request.form or PlatformForm(), (request.recurrence_pattern or "").strip()
    if pattern:
        return _of_pattern(request, pattern, form, rscale)
    days = read_form(form, request.schedule_date, rscale)
    if days is None:
        first_day, _ = window_of(form, request.schedule_date, rscale)
        return _of_dates(request, [first_day])
    return _of_dates(request, days.dates) if days.rule is None else _of_rule(request, days.rule, days.first_day)


def _of_pattern(request: TimeRequest, pattern: str, form: PlatformForm, rscale: str) -> Recurrence:
    if form.is_specific():
        raise InvalidInput("recurrence_pattern and specific dates are two ways to say when; keep one.")
    begin, until = window_of(form, request.schedule_date, rscale)
    where = zone(request.timezone)
    rule = parse_phrase(pattern, begin, calendar=request.calendar, zone=where, start_time=request.start_time)
    rule = complete(rule, begin)
    if not is_rule_text(pattern):
        # On a Wednesday, "every 2 weeks on Tuesday" means the next Tuesday and from then on. An RRULE counts its
        # intervals from the week of its first day, which would omit that one (RFC 5545 §3.3.10).
        begin = first_match(replace(rule, interval=1, count=None), begin)
    return _of_rule(request, combine(rule, form, until, rscale), begin)


def _of_rule(request: TimeRequest, rule: Rule, begin: date) -> Recurrence:
    rule = complete(rule, begin)
    first_day = first_match(rule, begin)
    if rule.skip == "FORWARD" and rule.interval > 1:
        # Intervals count from `begin`: a first day that was moved into the next month would count them from that month.
        first_day = begin
    return _recurrence(request, rule, (), first_day)


def _of_dates(request: TimeRequest, dates: Sequence[date]) -> Recurrence:
    return _recurrence(request, None, tuple(dates), dates[0])


def _recurrence(request: TimeRequest, rule: Rule | None, dates: tuple[date, ...], first_day: date) -> Recurrence:
    excluded = frozenset(dates_of(request.exdates, field="exdates")) if request.exdates else frozenset()
    # As the database of zones spells it: series are found by the names of zones.
    timezone = zone_name(request.timezone)
    recurrence = Recurrence(rule, dates, first_day, request.start_time, request.end_time, timezone, excluded)
    if not recurrence.next_days(1):
        raise InvalidInput("exdates leave no day.")
    return recurrence


def _checked_rscale(request: TimeRequest) -> str:
    """The calendar of the request. Also checks fields that not every request uses, to report every mistake."""
    zone(request.timezone)
    rscale = rscale_of(request.calendar)
    if request.start_time.tzinfo is not None or request.end_time.tzinfo is not None:
        raise InvalidInput("start_time and end_time are local times; the zone is in timezone.")
    if request.schedule_date is not None and not FIRST_YEAR <= request.schedule_date.year <= LAST_YEAR:
        raise InvalidInput(f"schedule_date must be between the years {FIRST_YEAR} and {LAST_YEAR}.")
    return rscale
