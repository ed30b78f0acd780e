"""A request's fields as one recurrence, whichever way was used to say it."""

from dataclasses import fields as dataclass_fields
from dataclasses import replace
from datetime import date, time
from typing import Any

import pytest

from worker.errors import InvalidInput
from worker.recurrence.platform_form import PlatformForm
from worker.recurrence.request import Recurrence, TimeRequest, read_recurrence

LESSON = TimeRequest(date(2026, 1, 7), time(14), time(15), "Africa/Addis_Ababa")  # a Wednesday
FORM_FIELDS = {field.name for field in dataclass_fields(PlatformForm)}


def read(**fields: Any) -> Recurrence:
    """The recurrence of that lesson with these fields, those of the platform's form included."""
    form = {name: fields.pop(name) for name in FORM_FIELDS & fields.keys()}
    return read_recurrence(replace(LESSON, form=PlatformForm(**form) if form else None, **fields))


def refuse(**fields: Any) -> str:
    with pytest.raises(InvalidInput) as refused:
        read(**fields)
    return refused.value.detail


class TestSingle:
    """A lesson that never repeats."""

    def test_it_is_one_date_and_no_rule(self) -> None:
        single = read()
        assert (single.rule, single.dates, single.is_single) == (None, (date(2026, 1, 7),), True)
        assert single.days(None, date(2027, 1, 1)) == [date(2026, 1, 7)]
        assert single.text() == "On Wednesday 7 January 2026, 14:00 to 15:00 (Africa/Addis_Ababa)"

    @pytest.mark.parametrize("nothing", ["", "   ", None])
    def test_an_empty_pattern_says_nothing(self, nothing: str | None) -> None:
        assert read(recurrence_pattern=nothing, schedule_type=nothing).is_single

    def test_it_needs_its_date(self) -> None:
        assert "schedule_date is missing" in refuse(schedule_date=None)
        assert "schedule_date is missing" in refuse(schedule_date=None, recurrence_pattern="weekly")


class TestPattern:
    """Phrases and RRULE values."""

    def test_a_phrase(self) -> None:
        weekly = read(recurrence_pattern="every Monday, Wednesday, Friday")
        assert str(weekly.rule) == "FREQ=WEEKLY;BYDAY=MO,WE,FR"
        assert weekly.days(None, date(2026, 1, 13)) == [date(2026, 1, 7), date(2026, 1, 9), date(2026, 1, 12)]
        assert weekly.days(date(2026, 1, 7), date(2026, 1, 9)) == [date(2026, 1, 9)]
        assert not weekly.is_single

    def test_a_rule_is_kept_with_all_that_it_took_from_the_first_day(self) -> None:
        assert str(read(recurrence_pattern="FREQ=MONTHLY").rule) == "FREQ=MONTHLY;BYMONTHDAY=7"

    @pytest.mark.parametrize("pattern", ["every Monday", "FREQ=WEEKLY;BYDAY=MO"])
    def test_the_first_day_moves_to_the_first_match(self, pattern: str) -> None:
        assert read(recurrence_pattern=pattern).first_day == date(2026, 1, 12)

    def test_every_other_week_begins_with_the_next_of_the_days(self) -> None:
        # In words the next Tuesday is the first; an RRULE counts from the week of its first day.
        recurrence = read(recurrence_pattern="every 2 weeks on Tuesday")
        assert recurrence.next_days(2) == [date(2026, 1, 13), date(2026, 1, 27)]
        ruled = read(recurrence_pattern="FREQ=WEEKLY;INTERVAL=2;BYDAY=TU")
        assert ruled.next_days(2) == [date(2026, 1, 20), date(2026, 2, 3)]

    def test_every_other_month_begins_with_the_next_such_day(self) -> None:
        recurrence = read(recurrence_pattern="every 2 months on the 5th")
        assert recurrence.next_days(2) == [date(2026, 2, 5), date(2026, 4, 5)]

    @pytest.mark.parametrize(
        "pattern",
        [
            "FREQ=WEEKLY;INTERVAL=3;BYDAY=MO,FR;WKST=SU",
            "FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=5,31",
            "RSCALE=GREGORIAN;FREQ=MONTHLY;INTERVAL=2;BYMONTHDAY=31;SKIP=FORWARD",
            "RSCALE=ETHIOPIC;FREQ=YEARLY;INTERVAL=2;BYMONTH=13;BYMONTHDAY=6;SKIP=FORWARD",
            "FREQ=DAILY;INTERVAL=5;BYDAY=SU",
        ],
    )
    def test_moving_the_first_day_moves_no_other(self, pattern: str) -> None:
        from worker.recurrence.expand import occurrences
        from worker.recurrence.rule import parse_rule

        for first_day in (date(2026, 1, 7), date(2026, 4, 1), date(2026, 6, 30), date(2026, 9, 11)):
            until = date(2031, 1, 1)
            unmoved = occurrences(parse_rule(pattern), first_day, until=until)
            assert read(schedule_date=first_day, recurrence_pattern=pattern).days(None, until) == unmoved

    def test_for_ten_weeks_is_counted_from_the_day_that_was_requested(self) -> None:
        assert len(read(recurrence_pattern="every Monday for 10 weeks").next_days(99)) == 10

    def test_an_rrule_that_ends_in_utc_ends_by_the_clock_of_the_lesson(self) -> None:
        pattern = "FREQ=DAILY;UNTIL=20260109T110000Z"
        assert read(recurrence_pattern=pattern).next_days(9)[-1] == date(2026, 1, 9)
        assert read(recurrence_pattern=pattern, start_time=time(14, 1)).next_days(9)[-1] == date(2026, 1, 8)

    def test_the_fifth_is_that_of_the_ethiopian_month(self) -> None:
        recurrence = read(recurrence_pattern="monthly on the 5th", calendar="ethiopian")
        assert recurrence.next_days(2) == [date(2026, 1, 13), date(2026, 2, 12)]  # 5 Tir and 5 Yekatit 2018

    def test_a_pattern_without_any_day_is_refused(self) -> None:
        assert "No day matches" in refuse(recurrence_pattern="FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30")
        assert "ends on 2025-01-01" in refuse(recurrence_pattern="every Monday until 2025-01-01")


class TestPlatformWords:
    """The platform's form."""

    def test_recurring_without_a_date_begins_with_its_year(self) -> None:
        recurrence = read(schedule_date=None, schedule_type="recurring", days=["Monday"], months=["March"], year=2027)
        assert recurrence.next_days(99) == [date(2027, 3, day) for day in (1, 8, 15, 22, 29)]
        assert recurrence.first_day == date(2027, 3, 1)

    def test_without_a_type_days_mean_recurring_and_dates_mean_specific(self) -> None:
        assert str(read(days=["Monday"]).rule) == "FREQ=WEEKLY;BYDAY=MO"
        assert read(specific_dates=["2026-03-02", "2026-02-02"]).dates == (date(2026, 2, 2), date(2026, 3, 2))

    def test_specific_dates_alone_say_when(self) -> None:
        recurrence = read(schedule_type="specific", specific_dates=["2026-02-02", "2026-03-02"])
        assert (recurrence.rule, recurrence.first_day) == (None, date(2026, 2, 2))
        assert recurrence.days(date(2026, 2, 2), date(2027, 1, 1)) == [date(2026, 3, 2)]
        assert recurrence.text() == "On 2 February 2026 and 2 March 2026, 14:00 to 15:00 (Africa/Addis_Ababa)"

    def test_a_window_before_the_first_day_is_refused(self) -> None:
        assert "ends on 2025-12-31" in refuse(schedule_type="recurring", days=["Monday"], year=2025)


class TestBoth:
    """A pattern beside the platform's words."""

    def test_the_same_said_twice_is_said_once(self) -> None:
        recurrence = read(
            recurrence_pattern="every Monday and Friday",
            schedule_type="recurring",
            days=["Friday", "Monday"],
            year=2026,
        )
        assert str(recurrence.rule) == "FREQ=WEEKLY;UNTIL=20261231;BYDAY=MO,FR"

    def test_months_and_years_narrow_the_pattern(self) -> None:
        recurrence = read(recurrence_pattern="every Monday until 2029-01-01", months=["May"], year=2027, year_to=2028)
        assert str(recurrence.rule) == "FREQ=WEEKLY;UNTIL=20281231;BYMONTH=5;BYDAY=MO"
        assert recurrence.first_day == date(2027, 5, 3)

    @pytest.mark.parametrize(
        ("fields", "message"),
        [
            ({"recurrence_pattern": "every Monday", "days": ["Tuesday"]}, "recurrence_pattern and days contradict"),
            ({"recurrence_pattern": "daily", "days": ["Tuesday"]}, "recurrence_pattern and days contradict"),
            (
                {"recurrence_pattern": "FREQ=WEEKLY;BYMONTH=5;BYDAY=MO", "months": ["June"]},
                "recurrence_pattern and months contradict",
            ),
            (
                {"recurrence_pattern": "FREQ=YEARLY;BYMONTH=5;BYMONTHDAY=5", "months": ["June"]},
                "recurrence_pattern and months contradict",
            ),
            ({"recurrence_pattern": "every Monday 5 times", "year": 2026}, "ends after a number of times and year"),
            ({"recurrence_pattern": "every Monday", "specific_dates": ["2026-01-12"]}, "two ways to say when"),
            ({"recurrence_pattern": "every Monday", "schedule_type": "specific"}, "two ways to say when"),
        ],
    )
    def test_what_contradicts_itself_is_refused(self, fields: dict[str, Any], message: str) -> None:
        assert message in refuse(**fields)


class TestExcluded:
    """Days left out."""

    def test_they_are_no_days_and_are_told(self) -> None:
        recurrence = read(recurrence_pattern="daily", exdates=["2026-01-08", date(2026, 1, 9)])
        assert recurrence.days(None, date(2026, 1, 11)) == [date(2026, 1, 7), date(2026, 1, 10), date(2026, 1, 11)]
        assert recurrence.next_days(2) == [date(2026, 1, 7), date(2026, 1, 10)]
        assert recurrence.text().endswith(", except 8 January 2026 and 9 January 2026")

    def test_count_counts_them(self) -> None:
        recurrence = read(recurrence_pattern="daily, 3 times", exdates=["2026-01-08"])
        assert recurrence.next_days(9) == [date(2026, 1, 7), date(2026, 1, 9)]

    @pytest.mark.parametrize(
        "fields",
        [
            {"exdates": ["2026-01-07"]},
            {"exdates": ["2026-01-07", "2026-01-08"], "recurrence_pattern": "daily for 2 days"},
            {"exdates": ["2026-02-02"], "specific_dates": ["2026-02-02"]},
        ],
    )
    def test_something_must_be_left(self, fields: dict[str, Any]) -> None:
        assert refuse(**fields) == "exdates leave no day."

    def test_they_must_be_dates(self) -> None:
        assert "exdates: 'Monday' is not a date" in refuse(exdates=["Monday"])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"timezone": "../../etc/passwd"}, "There is no time zone"),
        ({"timezone": "Mars/Base"}, "There is no time zone"),
        ({"calendar": "julian"}, "calendar must be gregorian or ethiopian"),
        ({"calendar": "mayan", "days": ["Monday"], "year": 2026}, "calendar must be gregorian or ethiopian"),
        ({"start_time": time.fromisoformat("14:00+03:00")}, "local times"),
        ({"schedule_date": date(1, 1, 1)}, "between the years 1900 and 2199"),
        ({"schedule_date": date(9999, 12, 31), "recurrence_pattern": "daily"}, "between the years"),
    ],
)
def test_hostile_fields_are_refused_for_single_lessons_too(fields: dict[str, Any], message: str) -> None:
    assert message in refuse(**fields)
