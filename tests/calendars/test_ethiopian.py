"""The Ethiopian calendar, on every day of two centuries, against a library that was written elsewhere."""

from datetime import date, time, timedelta

import pytest
from abyssinica.calendar import Date

from worker.calendars.ethiopian import EthiopianDate, spoken_clock, to_ethiopian, to_gregorian
from worker.errors import InvalidInput

FIRST, LAST = date(1900, 1, 1), date(2100, 12, 31)


def test_every_day_of_two_centuries_is_as_the_library_says_and_comes_back() -> None:
    day = FIRST
    while day <= LAST:
        ours, theirs = to_ethiopian(day), Date.from_gregorian(day)
        assert (ours.year, ours.month, ours.day) == (theirs.year, theirs.month, theirs.day), day
        assert to_gregorian(ours) == day
        day += timedelta(days=1)


@pytest.mark.parametrize(
    ("gregorian", "ethiopian"),
    [
        (date(2007, 9, 12), EthiopianDate(2000, 1, 1)),  # the millennium, which Ethiopia celebrated on that day
        (date(2023, 9, 12), EthiopianDate(2016, 1, 1)),  # new year is a day later before a Gregorian leap year
        (date(2027, 9, 12), EthiopianDate(2020, 1, 1)),
        (date(2025, 9, 11), EthiopianDate(2018, 1, 1)),
        (date(2027, 9, 11), EthiopianDate(2019, 13, 6)),
        (date(2026, 9, 10), EthiopianDate(2018, 13, 5)),
        (date(2026, 1, 7), EthiopianDate(2018, 4, 29)),  # Genna
    ],
)
def test_published_days(gregorian: date, ethiopian: EthiopianDate) -> None:
    assert to_ethiopian(gregorian) == ethiopian
    assert to_gregorian(ethiopian) == gregorian


def test_extremes_of_the_calendar_come_back() -> None:
    for day in (date.min, date.max):
        assert to_gregorian(to_ethiopian(day)) == day


@pytest.mark.parametrize(
    "day",
    [
        EthiopianDate(2018, 13, 6),  # Pagume 6 of a common year
        EthiopianDate(2019, 13, 7),
        EthiopianDate(2018, 1, 31),
        EthiopianDate(2018, 14, 1),
        EthiopianDate(2018, 0, 1),
        EthiopianDate(2018, 1, 0),
        EthiopianDate(10**9, 1, 1),
        EthiopianDate(-(10**9), 1, 1),
    ],
)
def test_days_that_do_not_exist_are_refused(day: EthiopianDate) -> None:
    with pytest.raises(InvalidInput):
        to_gregorian(day)


def test_a_day_is_told_with_the_name_of_its_month() -> None:
    assert str(to_ethiopian(date(2027, 9, 11))) == "6 Pagume 2019"


@pytest.mark.parametrize(
    ("clock", "spoken"),
    [
        (time(0, 0), (6, 0, "night")),
        (time(5, 59), (11, 59, "night")),
        (time(6, 0), (12, 0, "morning")),
        (time(7, 30), (1, 30, "morning")),
        (time(12, 0), (6, 0, "afternoon")),
        (time(14, 0), (8, 0, "afternoon")),
        (time(18, 0), (12, 0, "evening")),
        (time(23, 5), (5, 5, "evening")),
    ],
)
def test_the_day_begins_at_dawn(clock: time, spoken: tuple[int, int, str]) -> None:
    assert spoken_clock(clock) == spoken


def test_no_two_times_of_a_day_are_told_alike() -> None:
    clock_times = {spoken_clock(time(hour, minute)) for hour in range(24) for minute in range(60)}
    assert len(clock_times) == 24 * 60
    assert {hour for hour, _, _ in clock_times} == set(range(1, 13))
