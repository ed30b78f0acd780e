"""The requested times of a lesson, in any supported form, converted to one value with concrete days."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, time
from itertools import islice

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.combine import combine
from worker.recurrence.describe import days_text, describe
from worker.recurrence.expand import complete, first_days, first_match, occurrences
from worker.recurrence.phrase_parser import is_rule_text, parse_phrase
from worker.recurrence.platform_form import RECURRING, SPECIFIC, PlatformForm, dates_of, rule_of, type_of, window_of
from worker.recurrence.rule import FIRST_YEAR, LAST_YEAR, Rule, rscale_of


@dataclass(frozen=True)
class TimeRequest:
    """The time fields of a request, unparsed; times are local to `timezone`.

    `schedule_date` may be omitted only where `year` or `specific_dates` determine the start.
    """

    schedule_date: date | None
    start_time: time
    end_time: time
    timezone: str
    recurrence_pattern: str | None = None
    exdates: Sequence[str | date] = ()
    schedule_type: str | None = None
    months: Sequence[str | int] = ()
    days: Sequence[str] = ()
    year: int | None = None
    year_to: int | None = None
    specific_dates: Sequence[str | date] = ()
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
        said = describe(self.rule or self.dates, self.start_time, self.end_time, self.timezone, self.first_day)
        return f"{said}, except {days_text(sorted(self.excluded))}" if self.excluded else said


def read_recurrence(wish: TimeRequest) -> Recurrence:
    """The recurrence that a request asks for; a single lesson is one date and no rule (`is_single`).

    A pattern, the platform's fields, or both when they agree. A first day that the rule does not match moves to its
    first match. Raises InvalidInput for what is invalid, contradictory or leaves no day.
    """
    _check(wish)
    words = _platform_words(wish)
    pattern = (wish.recurrence_pattern or "").strip()
    if words is None:
        return _of_pattern(wish, pattern, None) if pattern else _of_dates(wish, [_begin(wish)])
    if pattern and type_of(words) in SPECIFIC:
        raise InvalidInput("recurrence_pattern and specific dates are two ways to say when; keep one.")
    if pattern:
        return _of_pattern(wish, pattern, words)
    if type_of(words) in SPECIFIC:
        return _of_dates(wish, dates_of(words.specific_dates))
    begin, _ = window_of(words, _begin(wish))
    said = rule_of(words, begin)
    return _of_rule(wish, said, begin) if isinstance(said, Rule) else _of_dates(wish, said)


def _of_pattern(wish: TimeRequest, pattern: str, words: PlatformForm | None) -> Recurrence:
    begin, until = window_of(words, _begin(wish)) if words is not None else (_begin(wish), None)
    rule = parse_phrase(pattern, begin, calendar=wish.calendar, zone=zone(wish.timezone), start_time=wish.start_time)
    rule = complete(rule, begin)
    if not is_rule_text(pattern):
        # "every 2 weeks on Tuesday" said on a Wednesday means the next Tuesday and from then on. An RRULE counts its
        # intervals from the week of its first day, which would omit that one (RFC 5545 §3.3.10).
        begin = first_match(replace(rule, interval=1, count=None), begin)
    if words is not None:
        rule = combine(rule, words, until)
    return _of_rule(wish, rule, begin)


def _of_rule(wish: TimeRequest, rule: Rule, begin: date) -> Recurrence:
    rule = complete(rule, begin)
    first_day = first_match(rule, begin)
    if rule.skip == "FORWARD" and rule.interval > 1:
        # A day moved into the next month would count its intervals from that month.
        first_day = begin
    return _recurrence(wish, rule, (), first_day)


def _of_dates(wish: TimeRequest, dates: Sequence[date]) -> Recurrence:
    return _recurrence(wish, None, tuple(dates), dates[0])


def _recurrence(wish: TimeRequest, rule: Rule | None, dates: tuple[date, ...], first_day: date) -> Recurrence:
    excluded = frozenset(dates_of(wish.exdates, field="exdates")) if wish.exdates else frozenset()
    recurrence = Recurrence(rule, dates, first_day, wish.start_time, wish.end_time, wish.timezone, excluded)
    if not recurrence.next_days(1):
        raise InvalidInput("exdates leave no day.")
    return recurrence


def _begin(wish: TimeRequest) -> date:
    if wish.schedule_date is not None:
        return wish.schedule_date
    if wish.year is None:
        raise InvalidInput("schedule_date is missing: the first day, such as 2026-01-31.")
    return date.min  # the first day of the year, by the window


def _platform_words(wish: TimeRequest) -> PlatformForm | None:
    """The fields of the platform's form, when there are any."""
    named = wish.schedule_type is not None and wish.schedule_type.strip()
    if not (named or wish.months or wish.days or wish.specific_dates or (wish.year, wish.year_to) != (None, None)):
        return None
    return PlatformForm(
        schedule_type=named or ("specific" if wish.specific_dates else RECURRING),
        months=wish.months,
        days=wish.days,
        year=wish.year,
        year_to=wish.year_to,
        specific_dates=wish.specific_dates,
        calendar=wish.calendar,
    )


def _check(wish: TimeRequest) -> None:
    """Also checks fields that only some forms use, so that a mistake shows with the first lesson."""
    zone(wish.timezone)
    rscale_of(wish.calendar)
    if wish.start_time.tzinfo is not None or wish.end_time.tzinfo is not None:
        raise InvalidInput("start_time and end_time are local times; the zone is in timezone.")
    if wish.schedule_date is not None and not FIRST_YEAR <= wish.schedule_date.year <= LAST_YEAR:
        raise InvalidInput(f"schedule_date must be between the years {FIRST_YEAR} and {LAST_YEAR}.")
