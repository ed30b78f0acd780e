"""The tutor's panel "My Students"."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.conftest import ClientFor
from tests.conftest import School
from worker.access.callers import Operator
from worker.database import Database

PATH = "/v1/me/students"


def enrol(client_for: ClientFor, school: School, student_id: int, **fields: Any) -> int:
    status, booking = client_for(school.tutor).ask("POST", "/v1/bookings", {"student_id": student_id, **fields})
    assert status == 201
    user_id = {22: 2, 25: 5}.get(student_id, student_id)
    student = type(school.student)(user_id, "student", student_id=student_id)
    assert client_for(student).ask("POST", f"/v1/bookings/{booking['id']}/accept")[0] == 200
    return int(booking["id"])


def schedule(database: Database, student_id: int, hours: int, *, tutor_id: int = 11, status: str = "scheduled") -> int:
    """A lesson of an hour that begins so many hours from now."""
    starts_at = datetime.now(UTC).replace(microsecond=0) + timedelta(hours=hours)
    values = {
        "tutor": tutor_id,
        "student": student_id,
        "starts": starts_at,
        "ends": starts_at + timedelta(hours=1),
        "status": status,
    }
    with database.transaction() as session:
        lesson = session.execute(
            text(
                """
                INSERT INTO tutor_schedules (tutor_id, schedule_date, start_time, end_time, timezone, student_id,
                                             starts_at, ends_at, status)
                VALUES (:tutor, CAST(:starts AS timestamptz)::date, CAST(:starts AS timestamptz)::time,
                        CAST(:ends AS timestamptz)::time, 'UTC', :student, :starts, :ends, :status) RETURNING id
                """
            ),
            values,
        ).scalar_one()
        session.execute(
            text(
                "INSERT INTO schedule_participants (schedule_id, student_id, starts_at, ends_at, status) "
                "VALUES (:id, :student, :starts, :ends, :status)"
            ),
            values | {"id": lesson},
        )
    return int(lesson)


def test_each_student_is_there_once_with_all_bookings(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    other = enrol(client_for, school, 25, subject="Physics")
    again = enrol(client_for, school, 22, subject="Biology", package_name="Nature")
    status, page = tutor.ask("GET", PATH)
    assert (status, page["next"]) == (200, None)
    assert [(item["student_id"], item["student_name"]) for item in page["items"]] == [
        (22, "student 2"),
        (25, "student 5"),
    ]
    assert [[booking["id"] for booking in item["bookings"]] for item in page["items"]] == [
        [again, school.booking_id],
        [other],
    ]
    assert page["items"][0]["bookings"][0] == tutor.ask("GET", f"/v1/bookings/{again}")[1]
    assert page["items"][0]["next_lesson"] is None
    # Another tutor's booking of the same student is not there.
    assert [item["student_id"] for item in client_for(school.other_tutor).ask("GET", PATH)[1]["items"]] == [25]


def test_an_accepted_request_shows_here(school: School, client_for: ClientFor) -> None:
    schedule = {"recurrence_pattern": "daily", "start_time": "09:00", "end_time": "10:00"}
    body = {"tutor_id": 11, "package_name": "Physics", "schedule": schedule}
    session_request = client_for(school.other_student).ask("POST", "/v1/session-requests", body)[1]
    tutor = client_for(school.tutor)
    assert [item["student_id"] for item in tutor.ask("GET", PATH)[1]["items"]] == [22]
    accepted = tutor.ask("POST", f"/v1/session-requests/{session_request['id']}/accept")[1]
    first = tutor.ask("GET", PATH)[1]["items"][0]
    assert (first["student_id"], first["bookings"]) == (25, [accepted["booking"]])
    assert first["next_lesson"]["series_id"] == accepted["series_id"]
    assert first["next_lesson"]["start_time"] == "09:00:00"
    assert datetime.fromisoformat(first["next_lesson"]["starts_at"]) > datetime.now(UTC)


def test_the_next_lesson_is_the_first_that_is_not_over(
    school: School, client_for: ClientFor, database: Database
) -> None:
    tutor = client_for(school.tutor)
    schedule(database, 22, -5)
    schedule(database, 22, 2, status="cancelled")
    schedule(database, 22, 3, tutor_id=14)
    later = schedule(database, 22, 30)
    assert tutor.ask("GET", PATH)[1]["items"][0]["next_lesson"]["schedule_id"] == later
    running = schedule(database, 22, 0, status="in_progress")
    shown = tutor.ask("GET", PATH)[1]["items"][0]["next_lesson"]
    assert (shown["schedule_id"], shown["status"]) == (running, "in_progress")


def test_by_the_status_of_bookings(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    paused = enrol(client_for, school, 22, subject="Biology")
    tutor.ask("PATCH", f"/v1/bookings/{paused}", {"status": "paused"})
    (student,) = tutor.ask("GET", f"{PATH}?status=paused")[1]["items"]
    assert [booking["id"] for booking in student["bookings"]] == [paused]
    assert tutor.ask("GET", f"{PATH}?status=cancelled")[1] == {"items": [], "next": None}
    assert tutor.ask("GET", f"{PATH}?status=odd")[0] == 422


def test_pages_meet_without_gap_or_double(school: School, client_for: ClientFor, database: Database) -> None:
    with database.transaction() as session:
        for number in range(100, 105):
            user = {"id": number}
            session.execute(text("INSERT INTO users (id, first_name, email) VALUES (:id, 'Abebe', 'a@b')"), user)
            session.execute(text("INSERT INTO student_profiles (id, user_id) VALUES (:id, :id)"), user)
    for number in (100, 101, 102, 103, 104, 100, 22):
        enrol(client_for, school, number)
    assert [page["student_id"] for page in client_for(school.tutor).pages(PATH, limit=2)] == [
        22,
        100,
        104,
        103,
        102,
        101,
    ]


@pytest.mark.parametrize("who", ["student", "parent", "operator"])
def test_only_tutors_have_students(school: School, client_for: ClientFor, operator: Operator, who: str) -> None:
    caller = operator if who == "operator" else getattr(school, who)
    assert client_for(caller).ask("GET", PATH)[0] == 403
