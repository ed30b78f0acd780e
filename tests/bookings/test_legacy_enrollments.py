"""Bookings made from rows of the older table, whose values may be anything. Pure."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from worker.bookings.legacy_enrollments import EnrolledSubject, EnrollmentRow, read_enrollment

ROW = EnrollmentRow(
    id=7,
    tutor_id=11,
    student_id=22,
    subjects='["Math", "Physics"]',
    start_date="2024-09-01",
    end_date="2025-06-30",
    session_frequency="3 times per week",
    session_duration=90,
    hourly_rate=250.1,
    status="active",
    is_active=True,
)


def read(**changes: Any) -> tuple[list[EnrolledSubject], list[str]]:
    bookings, refused = read_enrollment(replace(ROW, **changes))
    return bookings, [subject.reason for subject in refused]


def test_each_subject_is_a_booking() -> None:
    bookings, refused = read()
    assert refused == []
    assert bookings == [{**bookings[0], "subject": "Math"}, {**bookings[0], "subject": "Physics"}]
    assert bookings[0] == {
        "subject": "Math",
        "tutor_id": 11,
        "student_id": 22,
        "enrollment_id": 7,
        "start_date": date(2024, 9, 1),
        "end_date": date(2025, 6, 30),
        "sessions_per_week": 3,
        "session_duration": 90,
        "price_per_session": Decimal("375.15"),
        "status": "active",
        "notes": None,
    }


@pytest.mark.parametrize(
    ("subjects", "names"),
    [
        (None, [None]),
        ("null", [None]),
        ("[]", [None]),
        ('["", "  "]', [None]),
        ('["Math", "math", " Math  ", "MATH"]', ["Math"]),
        ('["  Further   Mathematics "]', ["Further Mathematics"]),
        ('["ሒሳብ"]', ["ሒሳብ"]),
    ],
)
def test_names_of_subjects(subjects: str | None, names: list[str | None]) -> None:
    bookings, refused = read(subjects=subjects)
    assert [booking["subject"] for booking in bookings] == names
    assert refused == []


@pytest.mark.parametrize(
    "subject", ["5", "true", "null", "1.5e300", '["Math"]', '{"a": 1}', f'"{"x" * 300}"', '"a\\u0000b"', '"\\ud800"']
)
def test_what_is_no_subject_does_not_hinder_the_others(subject: str) -> None:
    bookings, refused = read(subjects=f'["Math", {subject}]')
    assert [booking["subject"] for booking in bookings] == ["Math"]
    assert len(refused) == 1
    # Alone it is no booking without a subject either: nobody meant that.
    assert [len(part) for part in read(subjects=f"[{subject}]")] == [0, 1]


@pytest.mark.parametrize(
    "subjects",
    [
        '"Math"',
        '{"Math": 1}',
        "5",
        "[" * 100_000,
        '["Math", "Phy',
        f"[{'9' * 5000}]",
        str(["x"] * 51).replace("'", '"'),
    ],
)
def test_what_is_no_list_is_refused_whole(subjects: str) -> None:
    bookings, refused = read(subjects=subjects)
    assert (bookings, len(refused)) == ([], 1)
    assert len(refused[0]) < 200


@pytest.mark.parametrize(
    ("rate", "minutes", "price"),
    [
        (100.0, 60, "100.00"),
        (100.0, 45, "75.00"),
        (100.0, 50, "83.33"),
        (0.01, 30, "0.01"),
        (99.99, 90, "149.99"),
        (0.0, 60, "0.00"),
        (250.1, None, None),
        (None, 60, None),
    ],
)
def test_the_price_of_a_lesson_to_the_cent(rate: float | None, minutes: int | None, price: str | None) -> None:
    bookings, _ = read(hourly_rate=rate, session_duration=minutes)
    assert bookings[0]["price_per_session"] == (None if price is None else Decimal(price))
    assert price is None or str(bookings[0]["price_per_session"]) == price


@pytest.mark.parametrize(
    "change",
    [
        {"hourly_rate": -1.0},
        {"hourly_rate": float("nan")},
        {"hourly_rate": float("inf")},
        {"hourly_rate": 1e300},
        {"session_duration": 0},
        {"session_duration": -60},
        {"session_duration": 1441},
        {"start_date": "infinity"},
        {"end_date": "20000-01-01"},
        {"start_date": "0044-03-15 BC"},
        {"end_date": "2024-08-31"},
    ],
)
def test_what_cannot_be_is_refused_with_its_reason(change: dict[str, Any]) -> None:
    bookings, refused = read(**change)
    assert (bookings, len(refused)) == ([], 1)
    assert next(iter(change)) in refused[0]


@pytest.mark.parametrize(
    ("status", "is_active", "becomes"),
    [
        ("active", True, "active"),
        ("active", None, "active"),
        ("active", False, "completed"),
        (None, True, "active"),
        (None, False, "completed"),
        ("paused", True, "paused"),
        ("paused", False, "paused"),
        ("completed", True, "completed"),
    ],
)
def test_what_state_it_is_in(status: str | None, is_active: bool | None, becomes: str) -> None:
    assert read(status=status, is_active=is_active)[0][0]["status"] == becomes


def test_a_frequency_that_says_no_number_is_kept_in_the_notes() -> None:
    (first, _), _ = read(session_frequency="whenever\nhe likes")
    assert (first["sessions_per_week"], first["notes"]) == (None, "Frequency of lessons: whenever\\nhe likes")
    assert len(str(read(session_frequency="x" * 5000)[0][0]["notes"])) < 600
    for nothing in (None, "", "   "):
        assert read(session_frequency=nothing)[0][0]["notes"] is None
