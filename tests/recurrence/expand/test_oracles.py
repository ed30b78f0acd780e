"""Expansion compared with dateutil, recurring-ical-events and a slow search that checks every day."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from typing import Any

import icalendar
import recurring_ical_events
from abyssinica.calendar import Date
from dateutil.rrule import rrulestr
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.expand import first_match, occurrences
from worker.recurrence.instants import instants_of
from worker.recurrence.rule import Rule

DAY = timedelta(days=1)
MANY = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])
SOME = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.filter_too_much])

FIRST_DAYS = st.dates(date(1996, 1, 1), date(2032, 12, 31))


@st.composite
def rules(draw: st.DrawFn, rscale: str = "GREGORIAN", skips: tuple[str, ...] = ("OMIT",)) -> Rule:
    """Any rule that is allowed; most of them name days that exist."""
    freq = draw(st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY"]))
    months, longest = (12, 31) if rscale == "GREGORIAN" else (13, 30)
    month_days = st.integers(1, longest) | st.integers(-longest, -1) | st.sampled_from([-1, 5, 6, 29, 30, longest])
    most = {"MONTHLY": 5, "YEARLY": 20}.get(freq, 0)
    ordinals = st.just(0) if draw(st.booleans()) else st.integers(-most, most)
    parts: dict[str, list[Any]] = {
        "by_month": draw(st.lists(st.integers(1, months) | st.just(months), max_size=3)),
        "by_month_day": draw(st.lists(month_days, max_size=3)) if freq != "WEEKLY" else [],
        "by_day": draw(st.lists(st.tuples(ordinals, st.integers(0, 6)), max_size=3)),
    }
    positions = draw(st.lists(st.integers(1, 3) | st.integers(-3, -1), max_size=2)) if any(parts.values()) else []
    sets: dict[str, Any] = {name: tuple(part) for name, part in parts.items()}
    return Rule(
        freq=freq,
        interval=draw(st.integers(1, 4) | st.integers(1, 30)),
        count=draw(st.none() | st.integers(1, 40)),
        week_start=draw(st.integers(0, 6)),
        by_set_pos=tuple(positions),
        rscale=rscale,
        skip=draw(st.sampled_from(skips)),
        **sets,
    )


def read_alike(rule: Rule, first_day: date) -> bool:
    """Whether dateutil reads the rule as RFC 5545 does."""
    mixed = len({ordinal == 0 for ordinal, _ in rule.by_day}) > 1  # it asks for both instead of either
    half_week = rule.freq == "WEEKLY" and rule.by_set_pos and first_day.weekday() != rule.week_start
    beyond = rule.by_month and any(abs(ordinal) > 5 for ordinal, _ in rule.by_day)  # it falls off the year's end
    return not mixed and not beyond and not half_week  # it counts positions in the first week from the first day only


def expand(rule: Rule, first_day: date, after: date | None, until: date) -> list[date]:
    """The days, or none when the rule is impossible."""
    try:
        return occurrences(rule, first_day, after=after, until=until)
    except InvalidInput:
        return []


@MANY
@given(rules(), FIRST_DAYS, st.integers(0, 2_000), st.integers(1, 800))
def test_the_same_days_as_dateutil(rule: Rule, first_day: date, skipped: int, window: int) -> None:
    assume(read_alike(rule, first_day))
    after = first_day + timedelta(days=skipped)
    until = after + timedelta(days=window)
    if not expand(rule, first_day, None, date(2045, 1, 1)):
        return  # dateutil would search up to the year 9999; the slow search below vouches for these
    expected = []
    for moment in rrulestr(str(rule), dtstart=datetime.combine(first_day, time())):
        if moment.date() > until:
            break
        expected.append(moment.date())
    assert expand(rule, first_day, None, until) == expected
    assert expand(rule, first_day, after, until) == [day for day in expected if day > after]


ZONES = ["Africa/Addis_Ababa", "America/New_York", "Australia/Lord_Howe", "Africa/Casablanca"]


@SOME
@given(
    rules(),
    st.dates(date(2024, 1, 1), date(2026, 12, 31)),
    st.sampled_from(ZONES),
    st.times(),
    st.integers(1, 200),
    st.sets(st.integers(0, 30), max_size=4),
)
def test_the_same_lessons_as_recurring_ical_events(
    rule: Rule, first_day: date, name: str, start: time, window: int, left_out: set[int]
) -> None:
    try:
        first_day = first_match(replace(rule, count=None), first_day)
    except InvalidInput:
        return
    assume(first_day < date(2040, 1, 1) and read_alike(rule, first_day))
    start = start.replace(microsecond=0, fold=0)
    excluded = {first_day + timedelta(days=number) for number in left_out}
    until = first_day + timedelta(days=window)
    event = icalendar.Event()
    event.add("UID", "lesson@astegni")
    event.add("DTSTART", datetime.combine(first_day, start, zone(name)))
    event.add("DURATION", timedelta(hours=1))
    event.add("RRULE", icalendar.vRecur.from_ical(str(rule)))
    for day in sorted(excluded):
        event.add("EXDATE", datetime.combine(day, start, zone(name)))
    calendar = icalendar.Calendar()
    calendar.add_component(event)
    begin = datetime.combine(first_day, time(), zone(name))
    events = recurring_ical_events.of(calendar).between(begin, datetime.combine(until + DAY, time(), zone(name)))
    days = [day for day in expand(rule, first_day, None, until) if day not in excluded]
    ours = [each.starts_at for each in instants_of(days, start, start, zone(name))]
    assert ours == sorted(each["DTSTART"].dt.astimezone(UTC) for each in events)


@MANY
@given(rules(skips=("OMIT", "BACKWARD", "FORWARD")), FIRST_DAYS, st.integers(0, 1_500))
def test_the_same_days_as_asking_every_day(rule: Rule, first_day: date, window: int) -> None:
    check_against_every_day(rule, first_day, window)


@MANY
@given(rules(rscale="ETHIOPIC", skips=("OMIT", "BACKWARD", "FORWARD")), FIRST_DAYS, st.integers(0, 1_500))
def test_the_same_ethiopian_days_as_asking_every_day(rule: Rule, first_day: date, window: int) -> None:
    check_against_every_day(rule, first_day, window)


def check_against_every_day(rule: Rule, first_day: date, window: int) -> None:
    until = first_day + timedelta(days=window)
    expected = ask_every_day(rule, first_day, until)
    assert expand(rule, first_day, None, until) == expected
    after = first_day + timedelta(days=window // 2)
    assert expand(rule, first_day, after, until) == [day for day in expected if day > after]


# --- the slow search: what is a day called, and is that in the rule?

Name = tuple[int, int, int]


def name_of(day: date, rscale: str) -> Name:
    """Year, month and day in the calendar, by libraries that are not ours."""
    if rscale == "GREGORIAN":
        return day.year, day.month, day.day
    there = Date.from_gregorian(day)
    return there.year, there.month, there.day


@cache
def calendar_of(rscale: str) -> dict[date, tuple[Name, int, int]]:
    """Every day that the tests look at, with its name, and the lengths of its month and of the month before."""
    names = {}
    day = date(1990, 1, 1)
    while day < date(2042, 1, 1):
        names[day] = name_of(day, rscale)
        day += DAY
    lengths: dict[tuple[int, int], int] = defaultdict(int)
    for year, month, _ in names.values():
        lengths[year, month] += 1
    return {
        day: (name, lengths[name[:2]], lengths[names[day - timedelta(days=name[2])][:2]])
        for day, name in list(names.items())[40:-40]
    }


def called(day: date, rule: Rule) -> Iterator[Name]:
    """The name of a day, and those that SKIP gives it because their own month is too short."""
    known = calendar_of(rule.rscale)
    (year, month, number), length, length_before = known[day]
    yield year, month, number
    if rule.freq in ("MONTHLY", "YEARLY"):
        if rule.skip == "BACKWARD" and number == length:
            yield from ((year, month, missing) for missing in range(length + 1, 32))
        if rule.skip == "FORWARD" and number == 1:
            before = known[day - DAY][0]
            yield from ((*before[:2], missing) for missing in range(length_before + 1, 32))


def period_of(day: date, name: Name, rule: Rule) -> int:
    months = 12 if rule.rscale == "GREGORIAN" else 13
    return {
        "DAILY": day.toordinal(),
        "WEEKLY": (day.toordinal() - 1 - rule.week_start) // 7,
        "MONTHLY": name[0] * months + name[1],
        "YEARLY": name[0],
    }[rule.freq]


def is_named(day: date, name: Name, rule: Rule, first_day: date) -> bool:
    first = calendar_of(rule.rscale)[first_day][0]
    length = calendar_of(rule.rscale)[day][1]
    real = name == calendar_of(rule.rscale)[day][0]
    by_month, by_month_day, by_day = rule.by_month, rule.by_month_day, rule.by_day
    if not by_month_day and not by_day:
        if rule.freq == "WEEKLY":
            by_day = ((0, first_day.weekday()),)
        elif rule.freq in ("MONTHLY", "YEARLY"):
            by_month_day = (first[2],)
            by_month = by_month or ((first[1],) if rule.freq == "YEARLY" else ())
    if by_month and name[1] not in by_month:
        return False
    if by_month_day:
        from_the_end = name[2] - length - 1 if real else None
        if name[2] not in by_month_day and from_the_end not in by_month_day:
            return False
    elif not real:
        return False
    return not by_day or any(is_weekday(day, each, rule, real) for each in by_day)


def is_weekday(day: date, place: tuple[int, int], rule: Rule, real: bool) -> bool:
    ordinal, weekday = place
    if day.weekday() != weekday:
        return False
    if ordinal == 0:
        return True
    (_, _, number), length, _ = calendar_of(rule.rscale)[day]
    if rule.freq == "YEARLY" and not rule.by_month:
        start, length = year_of(day, rule.rscale)
        number = (day - start).days + 1
        # Moved into the year after, it is none of the year that it was named in; a day moved within a year is.
        if not real and number == 1:
            return False
    elif not real and number == 1 and rule.skip == "FORWARD":
        return False
    return ordinal == ((number - 1) // 7 + 1 if ordinal > 0 else -((length - number) // 7) - 1)


@cache
def year_of(day: date, rscale: str) -> tuple[date, int]:
    """The first day of the year of a day, and how many days that year has."""
    year = name_of(day, rscale)[0]
    start = day - timedelta(days=370)
    while name_of(start, rscale)[0] != year:
        start += DAY
    end = start + timedelta(days=360)
    while name_of(end, rscale)[0] == year:
        end += DAY
    return start, (end - start).days


def ask_every_day(rule: Rule, first_day: date, until: date) -> list[date]:
    base = period_of(first_day, calendar_of(rule.rscale)[first_day][0], rule)
    sets: dict[int, set[date]] = defaultdict(set)
    day = first_day - timedelta(days=760 if rule.freq == "YEARLY" else 64)
    while day <= until + timedelta(days=370 if rule.freq == "YEARLY" else 64):
        for name in called(day, rule):
            period = period_of(day, name, rule)
            if (period - base) % rule.interval == 0 and is_named(day, name, rule, first_day):
                sets[period].add(day)
        day += DAY
    ordered_days: set[date] = set()
    for days in sets.values():
        ordered = sorted(days)
        if rule.by_set_pos:
            places = [place - 1 if place > 0 else place for place in rule.by_set_pos]
            ordered_days |= {ordered[place] for place in places if -len(ordered) <= place < len(ordered)}
        else:
            ordered_days |= days
    return [day for day in sorted(ordered_days) if day >= first_day][: rule.count][
        : _up_to(ordered_days, first_day, until)
    ]


def _up_to(days: set[date], first_day: date, until: date) -> int:
    return sum(first_day <= day <= until for day in days)
