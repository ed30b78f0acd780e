"""The platform's form, with everything that its own data has contained."""

from datetime import date, timedelta
from typing import Any

import pytest

from worker.calendars.months import ETHIOPIAN
from worker.errors import InvalidInput
from worker.recurrence.names import MONTHS, WEEKDAYS
from worker.recurrence.platform_form import PlatformForm, read_form, window_of, year_window

FIRST = date(2026, 1, 1)


def rule(rscale: str = "GREGORIAN", **fields: object) -> str:
    form = PlatformForm(**({"schedule_type": "recurring"} | fields))  # type: ignore[arg-type]
    days = read_form(form, FIRST, rscale)
    assert days is not None
    assert days.rule is not None
    return str(days.rule)


def dates(form: PlatformForm) -> list[date]:
    days = read_form(form, FIRST, "GREGORIAN")
    assert days is not None
    assert days.rule is None
    return list(days.dates)


class TestRecurring:
    """Months, days and years."""

    def test_days_of_all_months(self) -> None:
        assert rule(days=["Monday", "Wednesday", "Friday"]) == "FREQ=WEEKLY;BYDAY=MO,WE,FR"

    def test_every_day_counts_although_it_begins_with_a_space(self) -> None:
        # A list split on commas and not trimmed: four days of which the platform expanded one.
        assert rule(days=["Monday", " Tuesday", " Wednesday", " Thursday"]) == "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH"

    def test_a_list_in_one_text_is_taken_apart(self) -> None:
        assert rule(days=["Monday, Friday"]) == "FREQ=WEEKLY;BYDAY=MO,FR"

    @pytest.mark.parametrize(
        "days", [["monday"], ["MONDAY"], ["  Monday\t"], ["Mon"], ["Monday", "Monday "], ["", "Mon"]]
    )
    def test_days_are_spelled_in_any_way(self, days: list[str]) -> None:
        assert rule(days=days) == "FREQ=WEEKLY;BYDAY=MO"

    def test_months_come_in_any_order(self) -> None:
        # The platform's alarm takes the first month of the list for the nearest.
        assert rule(days=["Monday"], months=["September", "January", " march "]) == "FREQ=WEEKLY;BYMONTH=1,3,9;BYDAY=MO"

    @pytest.mark.parametrize("months", [[1, 3, 9], ["1", "3", "9"], ["Jan", 3, "Sept"], [9, 3, 1, 1]])
    def test_months_are_names_or_numbers(self, months: list[str | int]) -> None:
        assert rule(days=["Monday"], months=months) == "FREQ=WEEKLY;BYMONTH=1,3,9;BYDAY=MO"

    def test_no_month_and_all_months_are_the_same(self) -> None:
        assert rule(days=["Monday"], months=list(MONTHS)) == rule(days=["Monday"], months=[]) == "FREQ=WEEKLY;BYDAY=MO"

    def test_every_day_of_the_week(self) -> None:
        assert rule(days=list(WEEKDAYS)) == "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA,SU"

    def test_year_to_is_the_last_year_that_counts(self) -> None:
        # The form checks "year to" and then drops it.
        assert rule(days=["Monday"], year=2026, year_to=2028) == "FREQ=WEEKLY;UNTIL=20281231;BYDAY=MO"

    def test_a_year_alone_is_that_year(self) -> None:
        assert rule(days=["Monday"], year=2027) == "FREQ=WEEKLY;UNTIL=20271231;BYDAY=MO"

    def test_year_to_alone_counts_from_the_first_day(self) -> None:
        assert rule(days=["Monday"], year_to=2027) == "FREQ=WEEKLY;UNTIL=20271231;BYDAY=MO"

    def test_the_window_begins_with_the_year_or_with_the_first_day(self) -> None:
        form = PlatformForm("recurring", days=["Monday"], year=2027)
        assert window_of(form, FIRST, "GREGORIAN") == (date(2027, 1, 1), date(2027, 12, 31))
        assert window_of(form, date(2027, 3, 4), "GREGORIAN") == (date(2027, 3, 4), date(2027, 12, 31))
        assert window_of(form, None, "GREGORIAN") == (date(2027, 1, 1), date(2027, 12, 31))
        assert window_of(PlatformForm("recurring"), FIRST, "GREGORIAN") == (FIRST, None)

    @pytest.mark.parametrize(
        ("fields", "detail"),
        [
            ({}, "days: name at least one day"),  # what the parent's page sends: no months, no days
            ({"months": ["January"]}, "days: name at least one day"),
            ({"days": ["", "  ", ","]}, "days: name at least one day"),
            ({"days": ["Moonday"]}, "“Moonday” is not a day of the week; did you mean “Monday”?"),
            ({"days": ["x" * 9_999]}, "is not a day of the week."),
            ({"days": ["1"]}, "“1” is not a day of the week."),
            ({"days": ["Monday"], "months": ["Febuary"]}, "did you mean “February”?"),
            ({"days": ["Monday"], "months": [13]}, "“13” is not a month of the gregorian calendar; name it in English"),
            ({"days": ["Monday"], "months": [0]}, "“0” is not a month"),
            ({"days": ["Monday"], "months": [-1]}, "“-1” is not a month"),
            ({"days": ["Monday"], "months": [True]}, "“True” is not a month"),
            ({"days": ["Monday"], "months": ["Meskerem"]}, "is not a month of the gregorian calendar"),
            ({"days": ["Monday"], "year": 2027, "year_to": 2026}, "year_to 2026 is before year 2027"),
            ({"days": ["Monday"], "year_to": 2025}, "year_to 2025 is before year 2026"),
            ({"days": ["Monday"], "year": 20_260}, "not between 1900 and 2199"),
            (
                {"days": ["Monday"], "specific_dates": ["2026-01-05"]},
                'specific_dates belong to schedule_type "specific"',
            ),
            ({"schedule_type": "Flexible"}, "schedule_type must be recurring, specific or specific_dates"),
            ({"schedule_type": "constant"}, "schedule_type must be"),
        ],
    )
    def test_what_says_nothing_is_refused(self, fields: dict[str, Any], detail: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            rule(**fields)
        assert detail in refused.value.detail

    def test_a_form_without_fields_says_nothing(self) -> None:
        assert read_form(PlatformForm(), FIRST, "GREGORIAN") is None
        assert read_form(PlatformForm(schedule_type="  ", months=[]), None, "GREGORIAN") is None

    def test_the_type_is_spelled_in_any_way(self) -> None:
        assert rule(schedule_type=" Recurring ", days=["Monday"]) == "FREQ=WEEKLY;BYDAY=MO"


class TestEthiopian:
    """With rscale="ETHIOPIC", months and years are those of Ethiopia."""

    def test_months_by_name_or_number(self) -> None:
        expected = "RSCALE=ETHIOPIC;FREQ=WEEKLY;BYMONTH=1,13;BYDAY=MO"
        assert rule(rscale="ETHIOPIC", days=["Monday"], months=["Pagume", "meskerem"]) == expected
        assert rule(rscale="ETHIOPIC", days=["Monday"], months=[13, 1]) == expected

    def test_a_year_ends_with_pagume(self) -> None:
        assert rule(rscale="ETHIOPIC", days=["Monday"], year=2019) == "FREQ=WEEKLY;UNTIL=20270911;BYDAY=MO"

    def test_year_to_alone_counts_from_the_ethiopian_year_of_the_first_day(self) -> None:
        assert rule(rscale="ETHIOPIC", days=["Monday"], year_to=2018) == "FREQ=WEEKLY;UNTIL=20260910;BYDAY=MO"

    def test_civil_months_are_refused(self) -> None:
        with pytest.raises(InvalidInput, match="not a month of the ethiopian calendar"):
            rule(rscale="ETHIOPIC", days=["Monday"], months=["January"])


class TestSpecific:
    """Single dates."""

    @pytest.mark.parametrize("kind", ["specific", "specific_dates", "Specific Dates", "specific-dates"])
    def test_dates_are_sorted_and_said_once(self, kind: str) -> None:
        # "specific" is what packages write and requests forbid; both are understood.
        sent: list[str | date] = ["2026-03-01", " 2026-01-05 ", date(2026, 2, 2), "2026-03-01"]
        assert dates(PlatformForm(kind, specific_dates=sent)) == [date(2026, 1, 5), date(2026, 2, 2), date(2026, 3, 1)]

    def test_leftovers_of_the_other_type_do_not_count(self) -> None:
        # Rows are stored with months, days and a year that do not even match the dates.
        form = PlatformForm("specific", ["Smarch"], ["Moonday"], 1999, 1998, ["2026-01-05"])
        assert dates(form) == [date(2026, 1, 5)]

    def test_a_year_of_dates_is_the_most(self) -> None:
        days = [FIRST + timedelta(days=number) for number in range(367)]
        assert len(dates(PlatformForm("specific", specific_dates=days[:366] * 2))) == 366
        with pytest.raises(InvalidInput, match="367 dates are more than 366"):
            dates(PlatformForm("specific", specific_dates=days))

    @pytest.mark.parametrize(
        ("sent", "detail"),
        [
            ([], "name at least one date"),  # five of twelve requests of the platform
            (["2026-02-30"], "there is no day '2026-02-30'"),
            (["tomorrow"], "'tomorrow' is not a date like 2026-01-31"),
            (["20260105"], "is not a date like"),
            (["2026-W02-1"], "is not a date like"),
            (["05/01/2026"], "is not a date like"),
            (["2026-01-05T00:00:00Z"], "is not a date like"),
            (["2026-01-05, 2026-01-06"], "is not a date like"),
            (["\u0662\u0660\u0662\u0666-01-05"], "is not a date like"),
            (["0001-01-01"], "is not between the years"),
            (["9999-01-01"], "is not between the years"),
            (["9" * 100_000], "is not a date like"),
        ],
    )
    def test_what_is_no_date_is_refused_and_not_skipped(self, sent: list[str], detail: str) -> None:
        with pytest.raises(InvalidInput) as refused:
            dates(PlatformForm("specific", specific_dates=sent))
        assert detail in refused.value.detail
        assert len(refused.value.detail) < 200


class TestYearWindow:
    """The platform's year and year_to, both included."""

    def test_a_year_alone_is_that_year(self) -> None:
        assert year_window(2026) == (date(2026, 1, 1), date(2026, 12, 31))

    def test_years_include_the_last(self) -> None:
        assert year_window(2026, 2028) == (date(2026, 1, 1), date(2028, 12, 31))

    def test_ethiopian_years_run_from_meskerem_to_pagume(self) -> None:
        assert year_window(2019, None, ETHIOPIAN) == (date(2026, 9, 11), date(2027, 9, 11))

    @pytest.mark.parametrize(("year", "year_to"), [(2027, 2026), (0, None), (-1, 2026), (2026, 10**9), (10**30, None)])
    def test_windows_that_cannot_be_are_refused(self, year: int, year_to: int | None) -> None:
        with pytest.raises(InvalidInput):
            year_window(year, year_to)
