"""A person who teaches one lesson and attends another at that time: nothing is refused, and they are shown both."""

from dataclasses import replace
from typing import Any

import pytest

from tests.api.conftest import ClientFor
from tests.api.schedules.test_schedules import ASKED, body, day, listed
from tests.conftest import School, Sql
from worker.access.callers import UserCaller


@pytest.fixture
def both(school: School, sql: Sql) -> UserCaller:
    """The tutor of the school, who is taught by its other tutor."""
    sql("INSERT INTO student_profiles (id, user_id) VALUES (41, 1)")
    sql("INSERT INTO tutor_student_bookings (tutor_id, student_id, subject) VALUES (14, 41, 'Physics')")
    return replace(school.tutor, student_id=41)


def _lessons(client_for: ClientFor, school: School, sql: Sql) -> tuple[int, list[int]]:
    """A lesson of two hours that the person teaches, and three that they attend: the first two at that time."""
    ((other_booking,),) = sql("SELECT id FROM tutor_student_bookings WHERE student_id = 41")

    def make(who: UserCaller, booking: int, start: str, end: str) -> int:
        lesson = body(booking, start_time=start, end_time=end)
        status, document = client_for(who).ask("POST", "/v1/schedules", lesson)
        assert status == 201, document
        return int(document["schedule_id"])

    taught = make(school.tutor, school.booking_id, "10:00", "12:00")
    hours = (("09:30", "10:30"), ("10:30", "11:30"), ("12:00", "13:00"))
    return taught, [make(school.other_tutor, other_booking, *hour) for hour in hours]


def _conflicts(items: list[Any]) -> dict[int, list[tuple[str, int, int | None]]]:
    return {
        item["id"]: [(clash["reason"], clash["schedule_id"], clash["student_id"]) for clash in item["conflicts"]]
        for item in items
    }


def test_both_lessons_name_the_other(both: UserCaller, school: School, client_for: ClientFor, sql: Sql) -> None:
    taught, (first, second, after) = _lessons(client_for, school, sql)

    items = listed(client_for(both))

    assert _conflicts(items) == {
        taught: [("tutor-busy", first, None), ("tutor-busy", second, None)],
        first: [("student-busy", taught, 41)],
        second: [("student-busy", taught, 41)],
        after: [],
    }
    ((clash,),) = [item["conflicts"] for item in items if item["id"] == first]
    assert (clash["schedule_date"], clash["starts_at"], clash["ends_at"]) == (
        day(0),
        f"{day(0)}T06:30:00Z",
        f"{day(0)}T07:30:00Z",
    )
    assert client_for(both).ask("GET", f"/v1/schedules/{second}")[1]["conflicts"] == items[2]["conflicts"]
    page = client_for(both).ask("GET", ASKED.replace("limit=200", "limit=1"))[1]["items"]
    assert _conflicts(page) == {first: [("student-busy", taught, 41)]}


def test_nobody_else_is_shown_it(
    both: UserCaller, school: School, client_for: ClientFor, sql: Sql, operator: Any
) -> None:
    _lessons(client_for, school, sql)

    for who in (school.tutor, school.student, school.parent, school.other_tutor, operator):
        assert [item["conflicts"] for item in listed(client_for(who)) if item["conflicts"]] == []


def test_a_lesson_that_was_called_off_is_in_nobodys_way(
    both: UserCaller, school: School, client_for: ClientFor, sql: Sql
) -> None:
    taught, _ = _lessons(client_for, school, sql)
    status, lesson = client_for(both).ask("POST", f"/v1/schedules/{taught}/cancel")

    assert (status, lesson["conflicts"]) == (200, [])
    assert [item["conflicts"] for item in listed(client_for(both)) if item["conflicts"]] == []


def test_a_change_answers_with_it(both: UserCaller, school: School, client_for: ClientFor, sql: Sql) -> None:
    taught, (_, _, after) = _lessons(client_for, school, sql)
    change = {"start_time": "12:30", "end_time": "13:30"}

    status, lesson = client_for(both).ask("PATCH", f"/v1/schedules/{taught}", change)

    assert status == 200
    assert _conflicts([lesson]) == {taught: [("tutor-busy", after, None)]}
