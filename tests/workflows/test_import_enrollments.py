"""Rows of the older table become bookings, once."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from worker.database import Database
from worker.workflows.import_enrollments import EnrollmentOutcome, import_enrollments

Sql = Callable[..., list[Any]]


pytestmark = pytest.mark.usefixtures("school")


def enrol(sql: Sql, subjects: str | None = '["Math"]', **columns: Any) -> int:
    values: dict[str, Any] = {"tutor_id": 11, "student_id": 22, "session_frequency": "twice a week", **columns}
    names = ", ".join(values)
    placeholders = ", ".join(f":{name}" for name in values)
    into = f"tutor_student_enrollments (subjects, {names})"
    statement = f"INSERT INTO {into} VALUES (:subjects, {placeholders}) RETURNING id"  # noqa: S608 - names of this file
    return int(sql(statement, subjects=subjects, **values)[0][0])


def outcomes(lines: list[EnrollmentOutcome]) -> list[tuple[int, str | None, str]]:
    return [(line.enrollment_id, line.subject, line.outcome) for line in lines]


def test_one_booking_for_each_subject_and_none_the_second_time(database: Database, sql: Sql) -> None:
    created = "2024-09-01T10:00:00+03:00"
    both = enrol(
        sql,
        '["Math", "Physics"]',
        start_date="2024-09-02",
        hourly_rate=200,
        session_duration=45,
        status="paused",
        created_at=created,
    )
    bare = enrol(sql, None, session_frequency=None)
    first = list(import_enrollments(database))
    assert outcomes(first) == [(both, "Math", "imported"), (both, "Physics", "imported"), (bare, None, "imported")]
    stored = sql(
        "SELECT id, enrollment_id, tutor_id, student_id, subject, sessions_per_week, session_duration, "
        "start_date::text, status, price_per_session::text, currency, created_at = :created "
        "FROM tutor_student_bookings WHERE enrollment_id IS NOT NULL ORDER BY id",
        created=created,
    )
    common = (2, 45, "2024-09-02", "paused", "150.00", "ETB", True)
    assert stored == [
        (first[0].booking_id, both, 11, 22, "Math", *common),
        (first[1].booking_id, both, 11, 22, "Physics", *common),
        (first[2].booking_id, bare, 11, 22, None, None, None, None, "active", None, "ETB", False),
    ]
    again = list(import_enrollments(database))
    assert {line.outcome for line in again} == {"already there"}
    assert [line.booking_id for line in again] == [line.booking_id for line in first]
    assert sql("SELECT count(*) FROM tutor_student_bookings WHERE enrollment_id IS NOT NULL") == [(3,)]


def test_a_dry_run_changes_nothing(database: Database, sql: Sql) -> None:
    enrol(sql)
    assert [line.outcome for line in import_enrollments(database, dry_run=True)] == ["imported"]
    assert sql("SELECT count(*) FROM tutor_student_bookings WHERE enrollment_id IS NOT NULL") == [(0,)]


def test_a_subject_that_was_renamed_or_added_since(database: Database, sql: Sql) -> None:
    row = enrol(sql, '["Math", "Physics"]')
    list(import_enrollments(database))
    sql("UPDATE tutor_student_bookings SET subject = 'Algebra' WHERE subject = 'Math'")
    assert {line.outcome for line in import_enrollments(database)} == {"already there"}
    sql("UPDATE tutor_student_bookings SET subject = 'Math' WHERE subject = 'Algebra'")
    sql("UPDATE tutor_student_enrollments SET subjects = :new", new='["Math", "Physics", "Biology"]')
    lines = list(import_enrollments(database))
    assert outcomes(lines)[2] == (row, "Biology", "imported")
    assert [line.outcome for line in lines] == ["already there", "already there", "imported"]


def test_hostile_rows_are_refused_and_the_rest_comes_in(database: Database, sql: Sql) -> None:
    hostile = [
        enrol(sql, '"Math"'),
        enrol(sql, '{"a": ["Math"]}'),
        enrol(sql, "[5]"),
        enrol(sql, f'["{"x" * 300}"]'),
        enrol(sql, "[" * 2000 + "]" * 2000),
        enrol(sql, f'["{"x" * 200_000}"]'),
        enrol(sql, '["a\\u0000b"]'),
        enrol(sql, start_date="infinity"),
        enrol(sql, end_date="20000-01-01"),
        enrol(sql, hourly_rate="NaN", session_duration=60),
        enrol(sql, hourly_rate=1e300, session_duration=60),
        enrol(sql, session_duration=-2147483648),
    ]
    fine = enrol(sql, '["Math", 5, "math"]', created_at="infinity", session_frequency="x" * 100_000)
    lines = list(import_enrollments(database))
    assert [line.enrollment_id for line in lines if line.outcome == "refused"] == [*hostile, fine]
    assert all(line.reason and len(line.reason) < 200 for line in lines if line.outcome == "refused")
    assert outcomes(lines)[-2:] == [(fine, "Math", "imported"), (fine, "5", "refused")]
    assert sql("SELECT subject FROM tutor_student_bookings WHERE enrollment_id IS NOT NULL") == [("Math",)]


def test_two_imports_at_once_make_each_booking_once(database: Database, sql: Sql) -> None:
    for number in range(20):
        enrol(sql, None if number % 2 else '["Math", "Physics"]')
    with ThreadPoolExecutor(4) as threads:
        runs = list(threads.map(lambda _: list(import_enrollments(database)), range(4)))
    assert sum(line.outcome == "imported" for lines in runs for line in lines) == 30
    assert sql("SELECT count(*) FROM tutor_student_bookings WHERE enrollment_id IS NOT NULL") == [(30,)]


def test_more_rows_than_one_transaction_takes(database: Database, sql: Sql) -> None:
    sql("INSERT INTO tutor_student_enrollments (tutor_id, student_id) SELECT 11, 22 FROM generate_series(1, 1001)")
    assert len(list(import_enrollments(database))) == 1001
    assert {line.outcome for line in import_enrollments(database)} == {"already there"}
