"""Which days a rule has: the known traps by name, the Ethiopian calendar, and what hostile rules cost."""

from datetime import date

import pytest

from worker.errors import InvalidInput
from worker.recurrence import periods
from worker.recurrence.expand import complete, first_days, first_match, occurrences
from worker.recurrence.rule import Rule, parse_rule


def days(text: str, first_day: date, until: date, after: date | None = None) -> list[date]:
    return occurrences(parse_rule(text), first_day, after=after, until=until)


def test_three_days_a_week() -> None:
    dates = days("FREQ=WEEKLY;BYDAY=MO,WE,FR", date(2026, 1, 1), date(2026, 1, 9))
    assert dates == [date(2026, 1, 2), date(2026, 1, 5), date(2026, 1, 7), date(2026, 1, 9)]


def test_after_is_left_out_and_until_is_not() -> None:
    dates = days("FREQ=DAILY", date(2026, 1, 1), date(2026, 1, 6), after=date(2026, 1, 3))
    assert dates == [date(2026, 1, 4), date(2026, 1, 5), date(2026, 1, 6)]


@pytest.mark.parametrize("after", [None, date(2025, 1, 1), date(2026, 6, 1)])
def test_a_window_before_the_first_day_or_after_the_end_is_empty(after: date | None) -> None:
    assert days("FREQ=DAILY;UNTIL=20260531", date(2026, 5, 1), date(2026, 4, 30), after) == []
    assert days("FREQ=DAILY;UNTIL=20260531", date(2026, 6, 1), date(2026, 7, 30), after) == []


class TestTraps:
    """Where expansions are known to go wrong."""

    def test_a_first_day_that_does_not_match_moves_to_the_first_match(self) -> None:
        # A Wednesday, on which others drop or count the first lesson.
        rule = parse_rule("FREQ=WEEKLY;BYDAY=MO;COUNT=2")
        assert first_match(rule, date(2026, 11, 25)) == date(2026, 11, 30)
        assert occurrences(rule, date(2026, 11, 25), until=date(2027, 1, 1)) == [date(2026, 11, 30), date(2026, 12, 7)]

    def test_a_first_day_that_matches_stays(self) -> None:
        assert first_match(parse_rule("FREQ=WEEKLY"), date(2026, 11, 25)) == date(2026, 11, 25)

    def test_a_rule_that_ends_before_its_first_day_has_no_match(self) -> None:
        with pytest.raises(InvalidInput, match="ends on 2026-11-29"):
            first_match(parse_rule("FREQ=WEEKLY;BYDAY=MO;UNTIL=20261129"), date(2026, 11, 25))

    def test_the_31st_skips_short_months(self) -> None:
        dates = days("FREQ=MONTHLY;BYMONTHDAY=31", date(2026, 1, 1), date(2026, 6, 1))
        assert dates == [date(2026, 1, 31), date(2026, 3, 31), date(2026, 5, 31)]

    def test_29_february_skips_common_years(self) -> None:
        assert days("FREQ=YEARLY", date(2024, 2, 29), date(2033, 1, 1)) == [
            date(2024, 2, 29),
            date(2028, 2, 29),
            date(2032, 2, 29),
        ]

    def test_the_last_day_of_the_month_skips_nothing(self) -> None:
        dates = days("FREQ=MONTHLY;BYMONTHDAY=-1", date(2026, 1, 1), date(2026, 4, 30))
        assert [day.day for day in dates] == [31, 28, 31, 30]

    def test_the_week_start_decides_which_week_an_interval_counts(self) -> None:
        # The example of RFC 5545 §3.3.10: same days, other week start, other lessons.
        monday = days("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO", date(1997, 8, 5), date(1998, 1, 1))
        sunday = days("FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU", date(1997, 8, 5), date(1998, 1, 1))
        assert [day.day for day in monday] == [5, 10, 19, 24]
        assert [day.day for day in sunday] == [5, 17, 19, 31]

    def test_count_is_counted_from_the_first_day_and_not_from_the_window(self) -> None:
        dates = days("FREQ=DAILY;COUNT=5", date(2026, 1, 1), date(2026, 2, 1), after=date(2026, 1, 3))
        assert dates == [date(2026, 1, 4), date(2026, 1, 5)]

    @pytest.mark.parametrize(
        "text",
        [
            "FREQ=DAILY;INTERVAL=7",
            "FREQ=DAILY;INTERVAL=3;BYDAY=MO,TU",
            "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,SU;WKST=SU",
            "FREQ=WEEKLY;INTERVAL=5;BYMONTH=1,7",
            "FREQ=MONTHLY;INTERVAL=5;BYDAY=-1FR",
            "FREQ=YEARLY;INTERVAL=3;BYMONTH=2,9;BYDAY=2TU",
            "RSCALE=ETHIOPIC;FREQ=MONTHLY;INTERVAL=5;BYMONTHDAY=30",
            "RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=30;SKIP=FORWARD",
        ],
    )
    def test_a_leap_forward_of_thirty_years_keeps_the_phase(self, text: str) -> None:
        first, after, until = date(1996, 3, 5), date(2026, 1, 14), date(2035, 12, 31)
        assert days(text, first, until, after) == [day for day in days(text, first, until) if day > after]

    def test_a_rule_of_thirty_years_costs_no_more_than_one_of_today(self) -> None:
        walked = periods.walk(Rule("DAILY"), 700_000, 739_000, 739_010)
        assert list(walked) == list(range(739_000, 739_011))
        weeks = periods.walk(parse_rule("FREQ=WEEKLY;BYDAY=MO"), 700_000, 739_000, 739_010)
        assert len(list(weeks)) <= 3


class TestImpossible:
    """A search without end is ended, whatever the rule."""

    @pytest.mark.parametrize(
        "text",
        [
            "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
            "FREQ=DAILY;BYDAY=MO;BYSETPOS=2",
            "FREQ=WEEKLY;BYMONTH=1;BYDAY=MO;BYSETPOS=2",
            "FREQ=YEARLY;INTERVAL=4;BYMONTH=2;BYMONTHDAY=29",  # from 2025: no leap year ever
            "FREQ=YEARLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=-366;INTERVAL=2",
            "FREQ=YEARLY;BYMONTHDAY=1,2,3,4,5,6,7;BYDAY=53MO,53TU,53WE;BYMONTH=1,2,3,4,5,6,7,8,9,10,11",
            "RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=7",
            "RSCALE=ETHIOPIC;FREQ=YEARLY;INTERVAL=4;BYMONTH=13;BYMONTHDAY=6",  # only of common years
            "RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=13;BYDAY=2MO",
        ],
    )
    def test_no_day_matches(self, text: str) -> None:
        rule = parse_rule(text)
        with pytest.raises(InvalidInput, match="No day matches"):
            first_match(rule, date(2025, 9, 11))
        with pytest.raises(InvalidInput, match="No day matches"):
            occurrences(rule, date(2025, 9, 11), until=date.max)

    @pytest.mark.parametrize("freq", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    def test_the_number_of_steps_is_bounded(self, freq: str) -> None:
        # A rule that can never match, wherever the search may look: it gives up long before the ceiling.
        rule = Rule(freq, by_month=(2,), by_day=((0, 0),), by_set_pos=(6,))
        a_thousand_years = 739_000 + 1_000 * 366
        with pytest.raises(InvalidInput, match="No day matches"):
            list(periods.walk(rule, 739_000, 739_000, a_thousand_years))
        assert periods._MAX_EMPTY[freq] <= 10_000

    def test_a_rare_day_is_found_all_the_same(self) -> None:
        # 29 February on a Monday: every 28 years, but for the 40 over 2100.
        rule = parse_rule("FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29;BYDAY=MO")
        assert occurrences(rule, date(2072, 3, 1), until=date(2150, 1, 1)) == [date(2112, 2, 29), date(2140, 2, 29)]

    def test_more_than_ten_thousand_days_are_refused(self) -> None:
        with pytest.raises(InvalidInput, match="More than 10000 days"):
            days("FREQ=DAILY", date(2026, 1, 1), date.max)
        assert len(days("FREQ=DAILY;COUNT=10000", date(2026, 1, 1), date.max)) == 10_000

    @pytest.mark.parametrize("skip", ["OMIT", "BACKWARD", "FORWARD"])
    @pytest.mark.parametrize("rscale", ["GREGORIAN", "ETHIOPIC"])
    @pytest.mark.parametrize("freq", ["DAILY", "WEEKLY", "MONTHLY", "YEARLY"])
    def test_the_ends_of_time_are_no_trouble(self, freq: str, rscale: str, skip: str) -> None:
        rule = Rule(freq, by_month=(1, 12), week_start=6, rscale=rscale, skip=skip)
        assert occurrences(rule, date.max.replace(month=1), until=date.max)
        assert occurrences(rule, date.min, until=date(2, 1, 1))


class TestEthiopianCalendar:
    """RSCALE=ETHIOPIC (RFC 7529)."""

    def test_each_month_of_thirteen_has_a_fifth(self) -> None:
        dates = days("RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=5", date(2026, 8, 1), date(2026, 10, 31))
        assert dates == [date(2026, 8, 11), date(2026, 9, 10), date(2026, 9, 15), date(2026, 10, 15)]

    def test_new_year_moves_against_the_civil_calendar(self) -> None:
        dates = days("RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1", date(2025, 1, 1), date(2028, 12, 31))
        assert dates == [date(2025, 9, 11), date(2026, 9, 11), date(2027, 9, 12), date(2028, 9, 11)]

    @pytest.mark.parametrize(
        ("skip", "expected"),
        [
            ("OMIT", [date(2023, 9, 11), date(2027, 9, 11)]),
            (
                "BACKWARD",
                [date(2023, 9, 11), date(2024, 9, 10), date(2025, 9, 10), date(2026, 9, 10), date(2027, 9, 11)],
            ),
            (
                "FORWARD",
                [date(2023, 9, 11), date(2024, 9, 11), date(2025, 9, 11), date(2026, 9, 11), date(2027, 9, 11)],
            ),
        ],
    )
    def test_pagume_6_in_common_years_follows_skip(self, skip: str, expected: list[date]) -> None:
        text = f"RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=6;SKIP={skip}"
        assert days(text, date(2023, 1, 1), date(2027, 12, 31)) == expected

    def test_the_last_day_of_the_year_is_pagume_5_or_6(self) -> None:
        dates = days("RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=-1", date(2026, 1, 1), date(2027, 12, 31))
        assert dates == [date(2026, 9, 10), date(2027, 9, 11)]

    def test_the_30th_moved_out_of_pagume_is_not_doubled(self) -> None:
        text = "RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=1,30;SKIP=FORWARD"
        dates = days(text, date(2026, 9, 1), date(2026, 10, 12))
        assert dates == [date(2026, 9, 5), date(2026, 9, 6), date(2026, 9, 11), date(2026, 10, 10), date(2026, 10, 11)]


class TestSkip:
    """SKIP in the civil calendar (RFC 7529 §4.1)."""

    @pytest.mark.parametrize(
        ("skip", "february"),
        [("BACKWARD", [date(2026, 2, 28)]), ("FORWARD", [date(2026, 3, 1)]), ("OMIT", [])],
    )
    def test_31_february(self, skip: str, february: list[date]) -> None:
        text = f"RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP={skip}"
        assert days(text, date(2026, 1, 1), date(2026, 3, 15)) == [date(2026, 1, 31), *february]

    def test_a_window_that_begins_with_a_day_moved_into_it(self) -> None:
        text = "RSCALE=GREGORIAN;FREQ=MONTHLY;BYMONTHDAY=31;SKIP=FORWARD"
        assert days(text, date(2026, 3, 1), date(2026, 3, 31)) == [date(2026, 3, 1), date(2026, 3, 31)]


class TestFirstDays:
    """Days one by one, for whoever wants the next few."""

    def test_the_next_ones_without_an_end(self) -> None:
        dates = first_days(parse_rule("FREQ=WEEKLY;BYDAY=MO"), date(2026, 1, 1), after=date(2030, 1, 1))
        assert [next(dates), next(dates)] == [date(2030, 1, 7), date(2030, 1, 14)]

    @pytest.mark.parametrize("end", ["COUNT=3", "UNTIL=20260103"])
    def test_they_stop_where_the_rule_stops(self, end: str) -> None:
        assert len(list(first_days(parse_rule(f"FREQ=DAILY;{end}"), date(2026, 1, 1)))) == 3
        assert len(list(first_days(parse_rule(f"FREQ=DAILY;{end}"), date(2026, 1, 1), after=date(2026, 1, 2)))) == 1


@pytest.mark.parametrize(
    ("text", "first_day", "rule_text"),
    [
        ("FREQ=WEEKLY", date(2026, 1, 7), "FREQ=WEEKLY;BYDAY=WE"),
        ("FREQ=MONTHLY", date(2026, 1, 31), "FREQ=MONTHLY;BYMONTHDAY=31"),
        ("FREQ=YEARLY", date(2024, 2, 29), "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=29"),
        ("FREQ=YEARLY;BYMONTH=5", date(2026, 1, 7), "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=7"),
        ("RSCALE=ETHIOPIC;FREQ=YEARLY", date(2027, 9, 11), "RSCALE=ETHIOPIC;FREQ=YEARLY;BYMONTH=13;BYMONTHDAY=6"),
        ("FREQ=DAILY", date(2026, 1, 7), "FREQ=DAILY"),
        ("FREQ=YEARLY;BYDAY=20MO", date(2026, 1, 7), "FREQ=YEARLY;BYDAY=20MO"),
    ],
)
def test_what_the_first_day_says_can_be_said_in_words(text: str, first_day: date, rule_text: str) -> None:
    assert str(complete(parse_rule(text), first_day)) == rule_text


def test_a_rule_without_an_end_that_has_no_day_is_not_said_to_end() -> None:
    with pytest.raises(InvalidInput, match=r"No day matches the rule from 9999-12-31 on\.$"):
        first_match(parse_rule("FREQ=YEARLY;BYMONTH=1;BYMONTHDAY=1"), date(9999, 12, 31))
