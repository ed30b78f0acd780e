"""Both calendars as years of months, against `calendar` and beyond the year 9999."""

from calendar import monthrange
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.calendars.months import ETHIOPIAN, GREGORIAN, Calendar, add_months


@settings(deadline=None)
@given(st.integers(1, 9999), st.integers(1, 12))
def test_gregorian_months_are_those_of_the_standard_library(year: int, month: int) -> None:
    assert GREGORIAN.start(year, month) == date(year, month, 1).toordinal()
    assert GREGORIAN.length(year, month) == monthrange(year, month)[1]


@pytest.mark.parametrize("calendar", [GREGORIAN, ETHIOPIAN])
def test_months_follow_one_another_without_gap_into_the_year_10000(calendar: Calendar) -> None:
    for year in (1999, 2000, 2019, 2020, 2100, 9998, 9999, 10_000):
        for month in range(1, calendar.months + 1):
            following = (year, month + 1) if month < calendar.months else (year + 1, 1)
            assert calendar.start(year, month) + calendar.length(year, month) == calendar.start(*following)


@pytest.mark.parametrize("calendar", [GREGORIAN, ETHIOPIAN])
@settings(deadline=None)
@given(st.dates())
def test_a_day_splits_into_what_it_is_made_of(calendar: Calendar, day: date) -> None:
    year, month, month_day = calendar.split(day.toordinal())
    assert 1 <= month_day <= calendar.length(year, month)
    assert calendar.start(year, month) + month_day - 1 == day.toordinal()


@pytest.mark.parametrize(
    ("calendar", "day", "number", "after"),
    [
        (GREGORIAN, date(2026, 1, 31), 1, date(2026, 2, 28)),
        (GREGORIAN, date(2026, 1, 31), 12, date(2027, 1, 31)),
        (GREGORIAN, date(2026, 11, 30), 3, date(2027, 2, 28)),
        (ETHIOPIAN, date(2026, 9, 5), 1, date(2026, 9, 10)),  # 30 Nehase 2018, then 5 Pagume, its last day
        (ETHIOPIAN, date(2026, 9, 11), 13, date(2027, 9, 12)),  # 1 Meskerem 2019 and 2020
    ],
)
def test_months_are_added_up_to_the_last_day(calendar: Calendar, day: date, number: int, after: date) -> None:
    assert add_months(calendar, day, number) == after
