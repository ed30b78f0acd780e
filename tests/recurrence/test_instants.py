"""Local times as instants, across every known kind of clock change."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.expand import occurrences
from worker.recurrence.instants import Instants, instant, instants, instants_of
from worker.recurrence.rule import Rule

ADDIS, NEW_YORK, LORD_HOWE = "Africa/Addis_Ababa", "America/New_York", "Australia/Lord_Howe"
CASABLANCA, APIA = "Africa/Casablanca", "Pacific/Apia"


def utc(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("name", "day", "start", "expected"),
    [
        (ADDIS, date(2026, 1, 5), time(14), "2026-01-05 11:00"),
        (ADDIS, date(2026, 7, 5), time(1), "2026-07-04 22:00"),
        # The gap: 02:30 is taken with the offset before it, and the wall shows 03:30.
        (NEW_YORK, date(2026, 3, 8), time(1, 59), "2026-03-08 06:59"),
        (NEW_YORK, date(2026, 3, 8), time(2, 30), "2026-03-08 07:30"),
        (NEW_YORK, date(2026, 3, 8), time(3, 0), "2026-03-08 07:00"),
        # The fold: the first of the two.
        (NEW_YORK, date(2026, 11, 1), time(1, 30), "2026-11-01 05:30"),
        (NEW_YORK, date(2026, 11, 1), time(2, 0), "2026-11-01 07:00"),
        # Half an hour of summer time, forward at 2:00 on 4 October and back at 2:00 on 5 April.
        (LORD_HOWE, date(2026, 10, 4), time(2, 15), "2026-10-03 15:45"),
        (LORD_HOWE, date(2026, 10, 4), time(2, 30), "2026-10-03 15:30"),
        (LORD_HOWE, date(2026, 4, 5), time(1, 45), "2026-04-04 14:45"),
        # Ramadan: an hour back from 15 February to 22 March 2026.
        (CASABLANCA, date(2026, 2, 14), time(9), "2026-02-14 08:00"),
        (CASABLANCA, date(2026, 2, 16), time(9), "2026-02-16 09:00"),
        (CASABLANCA, date(2026, 3, 21), time(9), "2026-03-21 09:00"),
        (CASABLANCA, date(2026, 3, 22), time(2, 30), "2026-03-22 02:30"),
        (CASABLANCA, date(2026, 3, 23), time(9), "2026-03-23 08:00"),
        # The day that Samoa never had, and the ones around it.
        (APIA, date(2011, 12, 29), time(9), "2011-12-29 19:00"),
        (APIA, date(2011, 12, 30), time(9), "2011-12-30 19:00"),
        (APIA, date(2011, 12, 31), time(9), "2011-12-30 19:00"),
    ],
)
def test_local_times_are_these_instants(name: str, day: date, start: time, expected: str) -> None:
    assert instant(day, start, zone(name)) == utc(expected)
    assert instant(day, start.replace(fold=1), zone(name)) == utc(expected)


class TestTraps:
    """Where series are known to go wrong."""

    def test_a_daily_series_fires_once_in_the_gap_and_once_in_the_fold(self) -> None:
        for first, last in ((date(2026, 3, 6), date(2026, 3, 10)), (date(2026, 10, 30), date(2026, 11, 3))):
            days = occurrences(Rule("DAILY"), first, until=last)
            starts = [each.starts_at for each in instants_of(days, time(1, 30), time(2, 30), zone(NEW_YORK))]
            assert len(set(starts)) == len(days) == 5
            assert starts == sorted(starts)

    def test_the_local_time_of_a_series_stays_when_the_offset_changes(self) -> None:
        before, after = instants_of([date(2026, 3, 7), date(2026, 3, 9)], time(9), time(10), zone(NEW_YORK))
        assert before.starts_at.astimezone(zone(NEW_YORK)).time() == after.starts_at.astimezone(zone(NEW_YORK)).time()
        assert after.starts_at - before.starts_at == timedelta(hours=47)

    def test_a_lesson_on_the_gap_day_is_as_long_as_any(self) -> None:
        # 02:30 to 03:30 on the day when 02:30 is 03:30: others make it nothing long.
        times = instants(date(2026, 3, 8), time(2, 30), time(3, 30), zone(NEW_YORK))
        assert times == Instants(utc("2026-03-08 07:30"), utc("2026-03-08 08:30"))

    def test_a_lesson_over_the_fold_is_as_long_as_any(self) -> None:
        times = instants(date(2026, 11, 1), time(0, 30), time(1, 30), zone(NEW_YORK))
        assert times.ends_at - times.starts_at == timedelta(hours=1)

    def test_a_day_that_does_not_exist_becomes_the_next(self) -> None:
        days = [date(2011, 12, 29), date(2011, 12, 30), date(2011, 12, 31)]
        first, skipped, last = instants_of(days, time(9), time(10), zone(APIA))
        assert skipped == last
        assert skipped.starts_at.astimezone(zone(APIA)).date() == date(2011, 12, 31)
        assert last.starts_at - first.starts_at == timedelta(days=1)


@pytest.mark.parametrize(
    ("start", "end", "lasts"),
    [
        (time(14), time(15), timedelta(hours=1)),
        (time(22), time(1), timedelta(hours=3)),
        (time(18, 1), time(12, 1), timedelta(hours=18)),  # a row of the platform's own data
        (time(14), time(14), timedelta(days=1)),
        (time(0), time(23, 59, 59), timedelta(hours=23, minutes=59, seconds=59)),
    ],
)
def test_an_end_at_or_before_the_start_is_on_the_next_day(start: time, end: time, lasts: timedelta) -> None:
    times = instants(date(2026, 1, 5), start, end, zone(ADDIS))
    assert times.ends_at - times.starts_at == lasts


@settings(deadline=None)
@given(
    st.dates(date(1970, 1, 1), date(2199, 12, 31)),
    st.times(),
    st.times(),
    st.sampled_from([ADDIS, NEW_YORK, LORD_HOWE, CASABLANCA, APIA, "Asia/Kathmandu", "Antarctica/Troll"]),
)
def test_no_lesson_is_empty_or_longer_than_a_day(day: date, start: time, end: time, name: str) -> None:
    times = instants(day, start, end, zone(name))
    assert timedelta(0) < times.ends_at - times.starts_at <= timedelta(days=1)
    assert times.starts_at.tzinfo is times.ends_at.tzinfo is UTC
    shown = times.starts_at.astimezone(zone(name)).replace(tzinfo=None)
    moved = shown - datetime.combine(day, start.replace(fold=0))
    assert timedelta(0) <= moved <= timedelta(days=1)
    assert [times] == instants_of([day], start, end, zone(name))


@pytest.mark.parametrize("day", [date.min, date.max])
@pytest.mark.parametrize("name", [ADDIS, APIA, NEW_YORK])
def test_the_ends_of_time_are_refused_or_right(day: date, name: str) -> None:
    for start in (time.min, time.max):
        try:
            moment = instant(day, start, zone(name))
        except InvalidInput:
            continue
        assert moment.tzinfo is UTC
