"""The days of an entry: what the forms of the platform mean, and when its occurrences are."""

import json
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import pytest

from models.timetable import TimetableEntry
from worker.errors import InvalidInput
from worker.recurrence.platform_form import PlatformForm
from worker.schedules.timetable.form import EntryDays, entry_days, next_occurrence, occurrences, require_days

PAYLOADS = json.loads((Path(__file__).parents[2] / "data" / "platform" / "payloads.json").read_text())
ADDIS = "Africa/Addis_Ababa"


def entry(**columns: Any) -> TimetableEntry:
    values = {
        "schedule_type": "recurring",
        "year": 2026,
        "months": [],
        "days": [],
        "specific_dates": [],
        "start_time": time(9),
        "end_time": time(10, 30),
        "timezone": ADDIS,
    }
    return TimetableEntry(**(values | columns))


def utc(*numbers: int) -> datetime:
    return datetime(*numbers, tzinfo=UTC)  # type: ignore[misc,arg-type]


@pytest.mark.parametrize(
    "form", [form for form in PAYLOADS["schedule_forms_that_mean_nothing"] if form["schedule_type"]]
)
def test_forms_that_say_nothing(form: dict[str, Any]) -> None:
    days = entry_days(
        PlatformForm(
            form["schedule_type"], days=form.get("days") or (), specific_dates=form.get("specific_dates") or ()
        ),
        2026,
    )
    assert days.is_empty
    with pytest.raises(InvalidInput):
        require_days(days)


def test_leftovers_of_the_other_type_are_dropped_unread() -> None:
    specific = PlatformForm("specific", ["No month"], ["No day"], specific_dates=["2026-10-06"])
    assert entry_days(specific, 2026) == EntryDays("specific", 2026, specific_dates=(date(2026, 10, 6),))
    recurring = PlatformForm("recurring", ["October"], [" Thursday", "Tuesday"], specific_dates=["no date"])
    assert entry_days(recurring, 2026) == EntryDays("recurring", 2026, ("October",), ("Tuesday", "Thursday"))


def test_a_recurring_entry_begins_with_its_year_and_goes_on() -> None:
    group = entry(months=["October", "November", "December"], days=["Monday", "Wednesday"])
    assert next_occurrence(group, utc(2020, 1, 1)) == (utc(2026, 10, 5, 6), utc(2026, 10, 5, 7, 30))
    assert next_occurrence(group, utc(2027, 1, 1)) == (utc(2027, 10, 4, 6), utc(2027, 10, 4, 7, 30))
    # The one that is on now counts until it ends.
    assert next_occurrence(group, utc(2026, 10, 5, 7, 29)) == (utc(2026, 10, 5, 6), utc(2026, 10, 5, 7, 30))
    assert next_occurrence(group, utc(2026, 10, 5, 7, 30)) == (utc(2026, 10, 7, 6), utc(2026, 10, 7, 7, 30))


def test_occurrences_of_a_span_are_those_that_begin_in_it() -> None:
    night = entry(days=["Saturday"], start_time=time(22), end_time=time(6))
    when = utc(2026, 10, 3, 19)
    assert occurrences(night, when, when + timedelta(days=7)) == [(when, when + timedelta(hours=8))]
    assert occurrences(night, when + timedelta(seconds=1), when + timedelta(days=7)) == []


def test_single_dates_end() -> None:
    lab = entry(schedule_type="specific", specific_dates=[date(2026, 10, 5), date(2026, 10, 7)])
    assert next_occurrence(lab, utc(2026, 10, 5, 12)) == (utc(2026, 10, 7, 6), utc(2026, 10, 7, 7, 30))
    assert next_occurrence(lab, utc(2026, 10, 8)) is None
    assert next_occurrence(entry(), utc(2026, 10, 8)) is None


def test_local_times_hold_across_a_change_of_clocks() -> None:
    berlin = entry(days=["Sunday"], timezone="Europe/Berlin")
    days = occurrences(berlin, utc(2026, 10, 18), utc(2026, 10, 26))
    assert [when.starts_at for when in days] == [utc(2026, 10, 18, 7), utc(2026, 10, 25, 8)]
