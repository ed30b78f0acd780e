"""A rule that is split in two has the same days as before."""

from datetime import date, time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.errors import Conflict
from worker.recurrence.platform_form import PlatformForm
from worker.recurrence.request import Recurrence, TimeRequest, read_recurrence
from worker.schedules.series.split import from_day, until_before

PATTERNS = (
    "FREQ=DAILY",
    "FREQ=DAILY;INTERVAL=3;COUNT=20",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TH",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=SU,MO;WKST=SU;COUNT=9",
    "FREQ=WEEKLY;BYDAY=MO,WE,FR;UNTIL=20260901",
    "FREQ=MONTHLY;BYMONTHDAY=31",
    "FREQ=MONTHLY;BYDAY=-1FR;COUNT=7",
    "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=5;COUNT=5",
    "FREQ=YEARLY;BYMONTH=5;BYDAY=MO",
    "RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=5",
)
END = date(2027, 12, 31)


def recurrence(pattern: str | None, form: PlatformForm | None = None) -> Recurrence:
    return read_recurrence(TimeRequest(date(2026, 5, 4), time(10), time(11), "UTC", pattern, form=form))


@given(st.sampled_from(PATTERNS), st.integers(0, 80))
def test_both_halves_together_are_the_whole(pattern: str, number: int) -> None:
    whole = recurrence(pattern)
    days = whole.days(None, END)
    day = days[number % len(days)]
    before, rest = until_before(whole, day), from_day(whole, day)
    assert (before.days(None, END) if before else []) + rest.days(None, END) == days
    assert rest.days(None, END)[0] == day
    assert (before is None) == (day == days[0])


def test_dates_are_shared_out() -> None:
    whole = recurrence(None, form=PlatformForm(specific_dates=["2026-05-04", "2026-05-06", "2026-05-09"]))
    before, rest = until_before(whole, date(2026, 5, 6)), from_day(whole, date(2026, 5, 6))
    assert before is not None
    assert [date_.day for date_ in before.dates] == [4]
    assert [date_.day for date_ in rest.dates] == [6, 9]
    assert rest.first_day == date(2026, 5, 6)


@pytest.mark.parametrize("form", [None, PlatformForm(specific_dates=["2026-05-04", "2026-05-05"])])
def test_nothing_is_left_behind_the_end(form: PlatformForm | None) -> None:
    whole = recurrence(None if form else "FREQ=DAILY;COUNT=3", form)
    with pytest.raises(Conflict, match="no lesson from 2026-06-01"):
        from_day(whole, date(2026, 6, 1))


def test_a_rule_that_counts_from_moved_days_is_not_split() -> None:
    whole = recurrence("RSCALE=GREGORIAN;FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31;SKIP=FORWARD")
    later = whole.days(None, END)[2]
    with pytest.raises(Conflict, match="cannot be split"):
        from_day(whole, later)
