"""`/v1/schedules/{id}/alarms`: tutors, students and parents each have their own."""

from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from tests.api.conftest import ClientFor
from tests.conftest import School
from worker.access.callers import Operator
from worker.database import Database

# A Monday two to three weeks from now.
MONDAY = date.today() + timedelta(days=21 - date.today().weekday())  # noqa: DTZ011 - any day will do
USUAL = {
    "source": "preferences",
    "alarms": [
        {"minutes_before": 1440, "channels": None, "fallback": None},
        {"minutes_before": 15, "channels": None, "fallback": None},
    ],
}


def alarms_of(*minutes: int, **options: Any) -> dict[str, Any]:
    return {"alarms": [{"minutes_before": minute, **options} for minute in minutes]}


class Calendar:
    """A daily series of three lessons, and a single one."""

    def __init__(self, school: School, client_for: ClientFor, database: Database) -> None:
        self.database = database
        self.tutor, self.student, self.parent = (
            client_for(person) for person in (school.tutor, school.student, school.parent)
        )
        self.outsider = client_for(school.other_tutor)
        body = {"booking_id": school.booking_id, "schedule_date": MONDAY.isoformat(), "timezone": "Africa/Addis_Ababa"}
        times = {"start_time": "10:00", "end_time": "11:00"}
        status, schedule = self.tutor.ask(
            "POST", "/v1/schedules", {**body, **times, "recurrence_pattern": "FREQ=DAILY;COUNT=3"}
        )
        assert status == 201, schedule
        self.lessons = [item["id"] for item in schedule["first"]]
        status, schedule = self.tutor.ask("POST", "/v1/schedules", {**body, "start_time": "14:00", "end_time": "15:00"})
        self.single = schedule["schedule_id"]

    def put(self, who: Any, lesson: int, body: Any, scope: str = "one") -> Any:
        status, alarms = who.ask("PUT", f"/v1/schedules/{lesson}/alarms?scope={scope}", body)
        assert status == 200, alarms
        return alarms

    def held(self, who: Any, lesson: int, scope: str = "one") -> tuple[str, list[int]]:
        status, alarms = who.ask("GET", f"/v1/schedules/{lesson}/alarms?scope={scope}")
        assert status == 200, alarms
        return alarms["source"], [item["minutes_before"] for item in alarms["alarms"]]

    def waiting(self, user_id: int) -> list[list[int]]:
        """Minutes before each lesson, in order of lessons."""
        statement = text(
            "SELECT DISTINCT schedule_id, minutes_before FROM deliveries WHERE user_id = :id AND state = 'pending'"
        )
        with self.database.transaction() as session:
            rows = session.execute(statement, {"id": user_id}).all()
        return [
            sorted(minutes for lesson, minutes in rows if lesson == schedule_id)
            for schedule_id in (*self.lessons, self.single)
        ]


@pytest.fixture
def calendar(school: School, client_for: ClientFor, database: Database) -> Calendar:
    return Calendar(school, client_for, database)


def test_who_said_nothing_has_the_usual_ones(calendar: Calendar) -> None:
    assert calendar.tutor.ask("GET", f"/v1/schedules/{calendar.single}/alarms") == (200, USUAL)
    assert calendar.waiting(1) == [[15, 1440]] * 4


def test_each_their_own(calendar: Calendar) -> None:
    for who, minutes in ((calendar.tutor, 5), (calendar.student, 10), (calendar.parent, 20)):
        calendar.put(who, calendar.single, alarms_of(minutes))
    assert [calendar.waiting(user)[3] for user in (1, 2, 3)] == [[5], [10], [20]]
    assert calendar.held(calendar.student, calendar.single) == ("lesson", [10])


def test_channels_and_fallback_come_back(calendar: Calendar) -> None:
    body = alarms_of(60, channels=["in_app"], fallback=["email"])
    assert calendar.put(calendar.parent, calendar.single, body) == {"source": "lesson", **body}


def test_of_one_lesson_of_a_series(calendar: Calendar) -> None:
    calendar.put(calendar.parent, calendar.lessons[1], alarms_of(30, 120))
    assert calendar.waiting(3) == [[15, 1440], [30, 120], [15, 1440], [15, 1440]]
    assert calendar.held(calendar.parent, calendar.lessons[1]) == ("lesson", [120, 30])
    assert calendar.held(calendar.parent, calendar.lessons[1], "all") == ("preferences", [1440, 15])


def test_of_all(calendar: Calendar) -> None:
    calendar.put(calendar.parent, calendar.lessons[2], alarms_of(7))
    calendar.put(calendar.parent, calendar.lessons[1], alarms_of(30), "all")
    assert calendar.waiting(3) == [[30], [30], [30], [15, 1440]]
    assert [calendar.held(calendar.parent, lesson) for lesson in calendar.lessons] == [("series", [30])] * 3


def test_of_this_and_the_following(calendar: Calendar) -> None:
    calendar.put(calendar.parent, calendar.lessons[1], alarms_of(30), "following")
    assert calendar.waiting(3) == [[15, 1440], [30], [30], [15, 1440]]
    calendar.put(calendar.parent, calendar.lessons[2], alarms_of(9), "following")
    assert calendar.waiting(3) == [[15, 1440], [30], [9], [15, 1440]]
    assert [calendar.held(calendar.parent, lesson)[0] for lesson in calendar.lessons] == ["lesson", "lesson", "series"]


def test_following_keeps_that_earlier_ones_ring_not_at_all(calendar: Calendar) -> None:
    calendar.put(calendar.parent, calendar.lessons[0], {"alarms": []}, "all")
    calendar.put(calendar.parent, calendar.lessons[2], alarms_of(9), "following")
    assert calendar.waiting(3) == [[], [], [9], [15, 1440]]


def test_no_alarm_and_none_said(calendar: Calendar) -> None:
    assert calendar.put(calendar.student, calendar.lessons[0], {"alarms": []}) == {"source": "lesson", "alarms": []}
    assert calendar.waiting(2)[0] == []
    calendar.put(calendar.student, calendar.lessons[0], alarms_of(33), "all")
    calendar.put(calendar.student, calendar.lessons[0], {"alarms": []})
    assert calendar.put(calendar.student, calendar.lessons[0], {"alarms": None})["source"] == "series"
    assert calendar.put(calendar.student, calendar.lessons[0], {"alarms": None}, "all") == USUAL
    assert calendar.waiting(2) == [[15, 1440]] * 4


def test_a_single_lesson_is_alone_in_every_scope(calendar: Calendar) -> None:
    for scope in ("following", "all"):
        assert calendar.put(calendar.tutor, calendar.single, alarms_of(5), scope)["source"] == "lesson"
    assert calendar.waiting(1) == [[15, 1440]] * 3 + [[5]]


def test_who_may(calendar: Calendar, client_for: ClientFor, operator: Operator) -> None:
    path = f"/v1/schedules/{calendar.single}/alarms"
    for method, body in (("GET", None), ("PUT", alarms_of(5))):
        assert calendar.outsider.ask(method, path, body)[0] == 404
        assert client_for(operator).ask(method, path, body)[0] == 403
    assert calendar.waiting(1)[3] == [15, 1440]


@pytest.mark.parametrize(
    "body",
    [
        {},
        alarms_of(-1),
        alarms_of(40_321),
        alarms_of(5, 5),
        alarms_of(*range(11)),
        alarms_of(5, channels=[]),
        alarms_of(5, channels=["sms"]),
        alarms_of(5, channels=["email", "email"]),
        alarms_of(5, channels=["1"]),
        alarms_of(5, fallback=["7"]),
        alarms_of(5, fallback=["email'; --"]),
        alarms_of(5, sound="bell"),
        {"alarms": [{"minutes_before": "5"}]},
        {"alarms": [{"minutes_before": True}]},
        {"alarms": 5},
    ],
)
def test_invalid_alarms(calendar: Calendar, body: Any) -> None:
    status, problem = calendar.tutor.ask("PUT", f"/v1/schedules/{calendar.single}/alarms", body)
    assert (status, problem["code"]) == (422, "invalid-input")
    assert calendar.waiting(1)[3] == [15, 1440]


def test_the_longest_and_the_shortest(calendar: Calendar) -> None:
    calendar.put(calendar.tutor, calendar.single, alarms_of(0, 40_320))
    # Four weeks before is over already.
    assert calendar.waiting(1)[3] == [0]
