"""The number of lessons a week, parsed from free text."""

import pytest

from worker.bookings.frequency import sessions_per_week


@pytest.mark.parametrize(
    ("words", "number"),
    [
        ("3 times per week", 3),
        ("3 Times Per Week.", 3),
        ("  three   times a\tweek ", 3),
        ("3x/week", 3),
        ("3 x week", None),
        ("2 sessions per week", 2),
        ("5 days a week", 5),
        ("1 class per week", 1),
        ("twice a week", 2),
        ("twice weekly", 2),
        ("once a week", 1),
        ("2/week", 2),
        ("weekly", 1),
        ("Weekly", 1),
        ("daily", 7),
        ("every day", 7),
        ("", None),
        ("0 times per week", None),
        ("biweekly", None),
        ("every two weeks", None),
        ("3 times per month", None),
        ("whenever he likes", None),
        ("-3 times per week", None),
        ("٣ times per week", None),
        ("999 times per week", None),
        ("3 times per week " * 10_000, None),
    ],
)
def test_what_a_person_meant(words: str, number: int | None) -> None:
    assert sessions_per_week(words) == number
