"""Refusals of the database in words: of constraints that the import knows, and of others by their kind."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DataError, IntegrityError

from tests.conftest import School
from worker.database import Database
from worker.platform.refusals import Refusal
from worker.workflows.platform_import.database_refusals import database_refusal

_LESSON = (
    "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, timezone, starts_at,"
    " ends_at, status) VALUES (11, 22, '2026-03-09', '10:00', '11:00', 'UTC', '2026-03-09 10:00Z',"
    " '2026-03-09 11:00Z', 'scheduled')"
)


def _refused(database: Database, *statements: str) -> Refusal:
    with pytest.raises((IntegrityError, DataError)) as failure, database.transaction() as session:
        for statement in statements:
            session.execute(text(statement))
    assert isinstance(failure.value, IntegrityError | DataError)
    return database_refusal(failure.value)


def test_a_lesson_beside_one_that_somebody_stored_in_between(database: Database, school: School) -> None:
    refusal = _refused(database, _LESSON, _LESSON)

    assert refusal.code == "tutor-busy"
    assert refusal.reason == "tutor busy: another lesson was stored here at that time"
    assert refusal.details == {"constraint": "ex_tutor_schedules_tutor_id"}


@pytest.mark.parametrize(
    ("statement", "reason"),
    [
        ("INSERT INTO users (id) VALUES (1), (1)", "there is a row like it here"),
        ("INSERT INTO tutor_profiles (id, user_id) VALUES (1, 1)", "it names a row that is not here"),
        ("INSERT INTO tutor_profiles (id) VALUES (1)", "a value is missing that is needed here (user_id)"),
        ("INSERT INTO tutor_student_bookings (status) VALUES (repeat('x', 300))", "one of its texts is too long"),
        ("INSERT INTO users (id) VALUES (99999999999)", "one of its numbers is too large"),
        ("INSERT INTO users (id) VALUES (CAST(chr(65) AS integer))", "one of its values cannot be stored here"),
    ],
)
def test_others_by_their_kind(database: Database, statement: str, reason: str) -> None:
    refusal = _refused(database, statement)

    assert refusal.code == "refused-by-database"
    assert refusal.reason == reason
