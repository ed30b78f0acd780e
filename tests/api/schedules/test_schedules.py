"""`/v1/schedules`, `/v1/series`, `/v1/tutors/{id}/slots` for tutors, students, parents and operators."""

from concurrent.futures import ThreadPoolExecutor
from datetime import date, datetime, timedelta
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import ApiClient, Bearer, ClientFor
from tests.conftest import School
from worker.access.callers import Operator
from worker.database import Database

# Next Monday, at least two weeks from now: lessons of the tests lie in the future.
MONDAY = date.today() + timedelta(days=21 - date.today().weekday())  # noqa: DTZ011 - any day will do


def day(number: int) -> str:
    """So many days after that Monday."""
    return (MONDAY + timedelta(days=number)).isoformat()


def body(booking_id: int | None = None, **changes: Any) -> dict[str, Any]:
    """All fields of the contract, as a client's form sends them."""
    return {
        "booking_id": booking_id,
        "subject": "Mathematics",
        "grade_level": "Grade 10",
        "session_format": "online",
        "schedule_date": day(0),
        "start_time": "10:00",
        "end_time": "11:00",
        "timezone": "Africa/Addis_Ababa",
        "recurrence_pattern": None,
        "exdates": [],
        "schedule_type": None,
        "months": [],
        "days": [],
        "year": None,
        "year_to": None,
        "specific_dates": [],
        "meeting_link": "https://meet.example.org/a",
        "location": None,
        "notes": "ሒሳብ",
    } | changes


WEEKLY = {"recurrence_pattern": "every Monday, Wednesday, Friday"}
ASKED = f"/v1/schedules?from={day(0)}&to={day(27)}&limit=200"


@pytest.fixture
def tutor(school: School, client_for: ClientFor) -> ApiClient:
    return client_for(school.tutor)


def listed(who: Any, query: str = ASKED) -> list[Any]:
    status, page = who.ask("GET", query)
    assert status == 200, page
    items: list[Any] = page["items"]
    return items


def rows(database: Database, table: str = "tutor_schedules") -> int:
    with database.transaction() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")))  # noqa: S608 - our own tables


@pytest.mark.parametrize(
    "fields",
    [
        WEEKLY,
        {"recurrence_pattern": "RRULE:FREQ=WEEKLY;BYDAY=MO,WE,FR"},
        {"schedule_type": "recurring", "days": ["Monday", " Wednesday", "Friday"]},
        {
            "schedule_type": "recurring",
            "days": ["Monday", "Wednesday", "Friday"],
            "year": MONDAY.year,
            "year_to": MONDAY.year + 1,
        },
    ],
)
def test_one_calendar_in_three_languages(school: School, tutor: ApiClient, fields: dict[str, Any]) -> None:
    response = tutor.send("POST", "/v1/schedules", body(school.booking_id, **fields))
    assert response.status_code == 201, response.text
    document = response.json()
    assert response.headers["location"] == f"/v1/series/{document['series_id']}"
    assert set(document) == {"series_id", "schedule_id", "text", "occurrences", "first", "conflicts"}
    assert (document["occurrences"], document["conflicts"], document["schedule_id"]) == (39, [], None)
    assert "Monday, Wednesday and Friday" in document["text"]
    assert [item["schedule_date"] for item in document["first"]] == [
        day(n) for n in (0, 2, 4, 7, 9, 11, 14, 16, 18, 21)
    ]
    assert set(document["first"][0]) == {
        "id",
        "schedule_date",
        "start_time",
        "end_time",
        "timezone",
        "starts_at",
        "ends_at",
    }
    assert document["first"][0]["starts_at"] == f"{day(0)}T07:00:00Z"
    items = listed(tutor)
    assert [item["id"] for item in items[:10]] == [item["id"] for item in document["first"]]
    assert (
        items[0]
        | {
            "tutor_id": 11,
            "student_id": 22,
            "student_name": "student 2",
            "participants": [22],
            "booking_id": school.booking_id,
            "series_id": document["series_id"],
            "status": "scheduled",
            "attendance": "unknown",
            "is_recurring": True,
            "subject": "Mathematics",
            "notes": "ሒሳብ",
            "start_time": "10:00:00",
            "starts_at": f"{day(0)}T07:00:00Z",
            "ends_at": f"{day(0)}T08:00:00Z",
        }
        == items[0]
    )
    assert "ethiopian" not in items[0]


def test_a_single_lesson(school: School, tutor: ApiClient) -> None:
    response = tutor.send("POST", "/v1/schedules", body(school.booking_id))
    document = response.json()
    assert (document["series_id"], document["occurrences"]) == (None, 1)
    assert response.headers["location"] == f"/v1/schedules/{document['schedule_id']}"
    status, lesson = tutor.ask("GET", response.headers["location"])
    assert status == 200
    assert (lesson["is_recurring"], lesson["series_id"], lesson["participants"]) == (False, None, [22])


def test_specific_dates(school: School, tutor: ApiClient) -> None:
    fields = {"schedule_type": "specific", "specific_dates": [day(9), day(1)], "schedule_date": None}
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id, **fields))[1]
    assert [item["schedule_date"] for item in schedule["first"]] == [day(1), day(9)]
    assert schedule["series_id"] is not None
    fields["specific_dates"] = [day(3)]
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id, **fields))[1]
    assert (schedule["series_id"], schedule["first"][0]["schedule_date"]) == (None, day(3))


@pytest.mark.parametrize(
    ("written", "zone"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        # The platform's accounts may contain any text.
        (" europe/berlin", "Europe/Berlin"),
        ("W. Europe Standard Time", "Europe/Berlin"),
        ("EAT", "Africa/Addis_Ababa"),
        ("", "Africa/Addis_Ababa"),
    ],
)
def test_defaults_come_from_booking_and_tutor(
    school: School, tutor: ApiClient, database: Database, written: str, zone: str
) -> None:
    with database.transaction() as session:
        session.execute(text("UPDATE users SET timezone = :zone WHERE id = 1"), {"zone": written})
    short = {"booking_id": school.booking_id, "schedule_date": day(0), "start_time": "10:00", "end_time": "11:00"}
    tutor.ask("POST", "/v1/schedules", short)
    [lesson] = listed(tutor)
    assert (lesson["timezone"], lesson["subject"]) == (zone, "Mathematics")


def test_a_dry_run_answers_the_same_and_stores_nothing(school: School, tutor: ApiClient, database: Database) -> None:
    tutor.ask("POST", "/v1/schedules", body(school.booking_id, schedule_date=day(2)))
    request_body = body(school.booking_id, **WEEKLY)
    status, preview = tutor.ask("POST", "/v1/schedules?dry_run=true", request_body)
    assert (status, preview["series_id"], preview["first"][0]["id"]) == (200, None, None)
    assert (rows(database), rows(database, "schedule_series"), rows(database, "schedule_skips")) == (1, 0, 0)
    assert [item["schedule_date"] for item in preview["conflicts"]] == [day(2)]
    status, schedule = tutor.ask("POST", "/v1/schedules?skip_conflicts=true", request_body)
    assert status == 201
    for item in (schedule, preview):
        del item["series_id"]
        for lesson in item["first"]:
            del lesson["id"]
    assert preview == schedule
    assert rows(database, "schedule_skips") == 1


def test_a_dry_run_of_a_single_lesson_lists_what_is_in_the_way(school: School, tutor: ApiClient) -> None:
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id))[1]
    status, preview = tutor.ask("POST", "/v1/schedules?dry_run=true", body(school.booking_id))
    assert (status, preview["occurrences"], preview["first"]) == (200, 0, [])
    assert preview["conflicts"][0]["schedule_id"] == schedule["schedule_id"]


@pytest.mark.parametrize("query", ["", "?skip_conflicts=true"])
def test_a_conflict_is_409_and_names_the_other_lesson(
    school: School, tutor: ApiClient, database: Database, query: str
) -> None:
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id))[1]
    response = tutor.send(
        "POST", f"/v1/schedules{query}", body(school.booking_id, start_time="10:30", end_time="12:00")
    )
    problem = response.json()
    assert (response.status_code, problem["code"]) == (409, "conflict")
    assert response.headers["content-type"] == "application/problem+json"
    assert f"lesson {schedule['schedule_id']}" in problem["detail"]
    assert [item["reason"] for item in problem["conflicts"]] == ["tutor-busy", "student-busy"]
    assert problem["conflicts"][1]["student_id"] == 22
    assert {item["schedule_id"] for item in problem["conflicts"]} == {schedule["schedule_id"]}
    assert rows(database) == 1


@pytest.mark.parametrize("fields", [{}, WEEKLY])
def test_a_race_for_one_time_has_one_winner(
    school: School, api: FastAPI, bearer: Bearer, database: Database, fields: dict[str, Any]
) -> None:
    def ask(_turn: int) -> Any:
        with TestClient(api) as client:
            return client.post("/v1/schedules", json=body(school.booking_id, **fields), headers=bearer(school.tutor))

    with ThreadPoolExecutor(3) as pool:
        responses = list(pool.map(ask, range(3)))
    assert sorted(response.status_code for response in responses) == [201, 409, 409]
    for response in responses:
        if response.status_code == 409:
            assert response.json()["conflicts"][0]["schedule_id"] > 0
    assert rows(database) == (39 if fields else 1)


def test_an_idempotency_key_makes_them_once(school: School, tutor: ApiClient, database: Database) -> None:
    headers = {"Idempotency-Key": "one"}
    first = tutor.send("POST", "/v1/schedules", body(school.booking_id, **WEEKLY), headers=headers)
    again = tutor.send("POST", "/v1/schedules", body(school.booking_id, **WEEKLY), headers=headers)
    assert (first.status_code, first.content) == (201, again.content)
    assert again.headers["idempotency-replayed"] == "true"
    assert rows(database) == 39
    assert tutor.ask("POST", "/v1/schedules", body(school.booking_id), headers=headers)[0] == 422


HOSTILE: list[dict[str, Any]] = [
    {"recurrence_pattern": "FREQ=SECONDLY"},
    {"recurrence_pattern": "FREQ=MINUTELY;COUNT=1000000"},
    {"recurrence_pattern": "FREQ=DAILY;COUNT=99999999"},
    {"recurrence_pattern": "FREQ=MONTHLY;BYMONTH=2;BYMONTHDAY=30"},
    {"recurrence_pattern": "FREQ=DAILY;INTERVAL=0"},
    {"recurrence_pattern": "every Moonday"},
    {"recurrence_pattern": "x" * 1001},
    {"recurrence_pattern": "FREQ=DAILY;" * 80},
    {"recurrence_pattern": "\x00"},
    {"timezone": "Mars/Olympus"},
    {"timezone": "../../etc/passwd"},
    {"schedule_date": "9999-12-31", "recurrence_pattern": "daily"},
    {"schedule_date": "9999-12-31"},
    {"schedule_date": "0001-01-01"},
    {"schedule_date": "2020-01-01"},
    {"schedule_date": "2026-02-30"},
    {"schedule_date": 20260101},
    {"schedule_date": None},
    {"start_time": "25:00"},
    {"start_time": "10:00+03:00"},
    {"start_time": 36000},
    {"start_time": None},
    {"end_time": "10"},
    {"schedule_type": "recurring", "days": []},
    {"schedule_type": "recurring", "days": ["Moonday"]},
    {"schedule_type": "sometimes"},
    {"schedule_type": "recurring", "days": ["Monday"], "year": 99999},
    {"schedule_type": "recurring", "days": ["Monday"], "year": 2000},
    {"schedule_type": "specific", "specific_dates": ["2026-13-01"]},
    {"schedule_type": "specific", "specific_dates": [day(n) for n in range(1001)]},
    {"exdates": ["soon"], "recurrence_pattern": "daily"},
    {"session_format": "underwater"},
    {"subject": "x" * 101},
    {"notes": "\ud800"},
    {"meeting_link": "x" * 501},
    {"booking_id": "1"},
    {"booking_id": 2**31},
    {"tutor_id": 14},
    {"status": "completed"},
]


@pytest.mark.parametrize("change", HOSTILE)
def test_what_cannot_be_is_refused(tutor: ApiClient, database: Database, change: dict[str, Any]) -> None:
    response = tutor.send("POST", "/v1/schedules", body(**change))
    assert response.status_code == 422, response.text
    assert response.json()["detail"]
    assert rows(database) == 0


@pytest.mark.parametrize("who", ["student", "parent", "operator"])
def test_only_tutors_make_lessons(school: School, client_for: ClientFor, operator: Operator, who: str) -> None:
    caller = operator if who == "operator" else getattr(school, who)
    assert client_for(caller).ask("POST", "/v1/schedules", body())[0] == 403


def test_the_booking_must_be_the_tutors_and_active(school: School, tutor: ApiClient) -> None:
    assert tutor.ask("POST", "/v1/schedules", body(school.other_booking_id))[0] == 404
    assert tutor.ask("POST", "/v1/schedules", body(999))[0] == 404
    tutor.ask("PATCH", f"/v1/bookings/{school.booking_id}", {"end_date": day(-1)})
    assert tutor.ask("POST", "/v1/schedules", body(school.booking_id))[0] == 422
    tutor.ask("PATCH", f"/v1/bookings/{school.booking_id}", {"status": "paused"})
    assert tutor.ask("POST", "/v1/schedules", body(school.booking_id))[0] == 409


@pytest.mark.parametrize(
    ("who", "lessons", "slots"),
    [
        ("tutor", 1, 1),
        ("student", 1, 0),
        ("parent", 1, 0),
        ("operator", 1, 1),
        ("other_tutor", 0, 0),
        ("other_student", 0, 0),
        ("other_parent", 0, 0),
    ],
)
def test_who_sees_lessons_and_slots(
    school: School, client_for: ClientFor, operator: Operator, tutor: ApiClient, who: str, lessons: int, slots: int
) -> None:
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id))[1]
    slot = tutor.ask("POST", "/v1/schedules", body(schedule_date=day(1)))[1]
    series = tutor.ask(
        "POST", "/v1/schedules", body(school.booking_id, start_time="15:00", end_time="16:00", **WEEKLY)
    )[1]
    caller = client_for(operator if who == "operator" else getattr(school, who))
    for row, visible in ((schedule, lessons), (slot, slots)):
        assert caller.ask("GET", f"/v1/schedules/{row['schedule_id']}")[0] == (200 if visible else 404)
    items = listed(caller, f"/v1/schedules?from={day(0)}&to={day(1)}")
    assert len(items) == 2 * lessons + slots
    assert caller.ask("GET", f"/v1/series/{series['series_id']}")[0] == (200 if lessons else 404)
    assert len(caller.ask("GET", "/v1/series")[1]["items"]) == lessons


def test_students_of_a_group_do_not_learn_of_one_another(
    school: School, client_for: ClientFor, tutor: ApiClient, database: Database
) -> None:
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id, recurrence_pattern="weekly"))[1]
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO schedule_participants SELECT id, 25, NULL, starts_at, ends_at, status FROM tutor_schedules"
            )
        )
        session.execute(
            text("INSERT INTO series_participants (series_id, student_id, booking_id) VALUES (:s, 25, :b)"),
            {"s": schedule["series_id"], "b": school.other_booking_id},
        )
    path = f"/v1/schedules/{schedule['first'][0]['id']}"
    documents = {
        who: client_for(getattr(school, who)).ask("GET", path)[1] for who in ("tutor", "student", "other_parent")
    }
    assert [documents[who]["participants"] for who in documents] == [[22, 25], [22], [25]]
    assert [documents[who]["student_id"] for who in documents] == [22, 22, 25]
    assert documents["other_parent"]["student_name"] == "student 5"
    assert documents["other_parent"]["booking_id"] is None
    path = f"/v1/series/{schedule['series_id']}"
    people = {who: client_for(getattr(school, who)).ask("GET", path)[1]["participants"] for who in documents}
    assert [[person["student_id"] for person in people[who]] for who in people] == [[22, 25], [22], [25]]


def test_the_calendar_is_in_order_of_time_and_its_pages_meet(school: School, tutor: ApiClient) -> None:
    for start, end in (("15:00", "16:00"), ("08:00", "09:00"), ("12:00", "13:00")):
        tutor.ask("POST", "/v1/schedules", body(school.booking_id, start_time=start, end_time=end, **WEEKLY))
    whole = [item["starts_at"] for item in listed(tutor, f"/v1/schedules?from={day(0)}&to={day(6)}")]
    assert len(whole) == 9
    assert whole == sorted(whole)
    paged = tutor.pages(f"/v1/schedules?from={day(0)}&to={day(6)}", limit=4)
    assert [item["starts_at"] for item in paged] == whole


def test_days_and_instants_bound_the_calendar(school: School, tutor: ApiClient, client_for: ClientFor) -> None:
    tutor.ask("POST", "/v1/schedules", body(school.booking_id, recurrence_pattern="daily"))
    for who in (tutor, client_for(school.student), client_for(school.parent)):
        assert len(listed(who, f"/v1/schedules?from={day(0)}&to={day(6)}")) == 7
        # From 07:30Z, when the first lesson still runs, to the beginning of the third.
        for since, until in (
            (f"{day(0)}T07:30:00Z", f"{day(2)}T07:00:00Z"),
            (f"{day(0)}T10:30:00+03:00", f"{day(2)}T10:00:00+03:00"),
        ):
            assert len(listed(who, f"/v1/schedules?from={quote(since)}&to={quote(until)}")) == 2
        # A plus sign that a client forgot to escape arrives as a space.
        assert len(listed(who, f"/v1/schedules?from={day(0)}T10:30:00+03:00&to={day(1)}")) == 2
        assert listed(who, f"/v1/schedules?from={day(0)}&to={day(6)}&status=completed") == []


def test_a_lesson_written_by_hand_is_shown_before_its_instants_are_known(
    school: School, client_for: ClientFor, database: Database
) -> None:
    with database.transaction() as session:
        session.execute(
            text(
                "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time)"
                " VALUES (11, 22, :day, '10:00', '11:00')"
            ),
            {"day": MONDAY},
        )
    for who in (school.tutor, school.student, school.parent):
        [item] = listed(client_for(who))
        assert (item["starts_at"], item["participants"], item["student_id"]) == (None, [22], 22)


@pytest.mark.parametrize(
    "query",
    [
        "",
        f"from={day(0)}",
        f"from={day(1)}&to={day(0)}",
        f"from={day(0)}&to={(MONDAY + timedelta(days=400)).isoformat()}",
        "from=9999-12-30&to=9999-12-31",
        "from=0001-01-01&to=0001-01-02",
        f"from=soon&to={day(1)}",
        f"from={day(0)}T10:00:00&to={day(1)}",
        f"from={day(0)}&to={day(1)}&cursor=x",
        f"from={day(0)}&to={day(1)}&cursor=YmVmb3JlIDE=",
        f"from={day(0)}&to={day(1)}&status=odd",
        f"from={day(0)}&to={day(1)}&calendar=maya",
        f"from={day(0)}&to={day(1)}&limit=0",
    ],
)
def test_odd_questions_are_refused(tutor: ApiClient, query: str) -> None:
    for path in ("/v1/schedules", "/v1/tutors/11/slots"):
        if path.endswith("slots") and ("status" in query or "calendar" in query):
            continue
        assert tutor.ask("GET", f"{path}?{query}")[0] == 422


def test_ethiopian_dates_beside_the_others(school: School, tutor: ApiClient) -> None:
    first = date(MONDAY.year + 1, 9, 11)
    lesson = body(school.booking_id, schedule_date=first.isoformat(), start_time="07:30", end_time="18:00")
    schedule = tutor.ask("POST", "/v1/schedules?calendar=ethiopian", lesson)[1]
    ethiopian = schedule["first"][0]["ethiopian"]
    assert (ethiopian["start"], ethiopian["end"]) == (
        {"hour": 1, "minute": 30, "part": "morning"},
        {"hour": 12, "minute": 0, "part": "evening"},
    )
    assert set(ethiopian) == {"year", "month", "month_name", "day", "start", "end"}
    [item] = listed(tutor, f"/v1/schedules?from={first}&to={first}&calendar=ethiopian")
    assert item["ethiopian"] == ethiopian
    path = f"/v1/schedules/{schedule['schedule_id']}"
    assert tutor.ask("GET", f"{path}?calendar=ethiopian")[1]["ethiopian"] == ethiopian
    assert "ethiopian" not in tutor.ask("GET", path)[1]


def test_a_series_by_ethiopian_months(school: School, tutor: ApiClient) -> None:
    lesson = body(school.booking_id, recurrence_pattern="RSCALE=ETHIOPIC;FREQ=MONTHLY;BYMONTHDAY=5")
    schedule = tutor.ask("POST", "/v1/schedules?calendar=ethiopian", lesson)[1]
    assert {item["ethiopian"]["day"] for item in schedule["first"]} == {5}


def test_one_lesson_this_and_following_and_all(school: School, tutor: ApiClient) -> None:
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id, recurrence_pattern="weekly"))[1]
    ids = [item["id"] for item in schedule["first"]]
    status, changed = tutor.ask("PATCH", f"/v1/schedules/{ids[1]}", {"start_time": "15:00", "end_time": "16:00"})
    assert (status, changed["is_override"], changed["start_time"], changed["conflicts"]) == (200, True, "15:00:00", [])
    status, changed = tutor.ask("PATCH", f"/v1/schedules/{ids[2]}?scope=following", {"subject": "Physics"})
    assert (status, changed["subject"]) == (200, "Physics")
    assert changed["series_id"] != schedule["series_id"]
    status, changed = tutor.ask(
        "PATCH", f"/v1/schedules/{ids[0]}?scope=all", {"start_time": "08:00", "end_time": "09:00"}
    )
    assert status == 200
    shown = [(item["start_time"][:2], item["subject"]) for item in listed(tutor)][:4]
    assert shown == [("08", "Mathematics"), ("15", "Mathematics"), ("10", "Physics"), ("10", "Physics")]
    status, cancelled = tutor.ask("POST", f"/v1/schedules/{ids[3]}/cancel?scope=following")
    assert (status, cancelled["status"], cancelled["cancelled_by"]) == (200, "cancelled", "person")
    assert [item["status"] for item in listed(tutor)][:4] == ["scheduled"] * 3 + ["cancelled"]


def test_a_change_that_collides_is_409(school: School, tutor: ApiClient) -> None:
    other = tutor.ask(
        "POST", "/v1/schedules", body(school.booking_id, schedule_date=day(7), start_time="15:00", end_time="16:00")
    )[1]
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id, recurrence_pattern="weekly"))[1]
    path = f"/v1/schedules/{schedule['first'][0]['id']}?scope=all"
    change = {"start_time": "15:00", "end_time": "16:00"}
    status, problem = tutor.ask("PATCH", path, change)
    assert status == 409
    assert problem["conflicts"][0]["schedule_id"] == other["schedule_id"]
    status, changed = tutor.ask("PATCH", f"{path}&skip_conflicts=true", change)
    assert (status, changed["start_time"]) == (200, "15:00:00")
    assert [item["schedule_date"] for item in changed["conflicts"]] == [day(7)]


@pytest.mark.parametrize(
    "change",
    [
        {"start_time": None},
        {"schedule_date": None},
        {"status": "completed"},
        {"recurrence_pattern": "daily"},
        {"timezone": "X"},
    ],
)
def test_odd_changes_are_refused(school: School, tutor: ApiClient, change: dict[str, Any]) -> None:
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id))[1]
    assert tutor.ask("PATCH", f"/v1/schedules/{schedule['schedule_id']}", change)[0] == 422


@pytest.mark.parametrize(
    ("who", "status"), [("student", 403), ("parent", 403), ("operator", 403), ("other_tutor", 404)]
)
def test_others_change_nothing(
    school: School, client_for: ClientFor, operator: Operator, tutor: ApiClient, who: str, status: int
) -> None:
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id, **WEEKLY))[1]
    caller = client_for(operator if who == "operator" else getattr(school, who))
    path = f"/v1/schedules/{schedule['first'][0]['id']}"
    assert caller.ask("PATCH", path, {"notes": "x"})[0] == status
    assert caller.ask("POST", f"{path}/cancel")[0] == status
    assert caller.ask("POST", f"/v1/series/{schedule['series_id']}/skip", {"dates": [day(2)]})[0] == status


def test_skipping_a_day(school: School, tutor: ApiClient) -> None:
    schedule = tutor.ask("POST", "/v1/schedules", body(school.booking_id, **WEEKLY))[1]
    path = f"/v1/series/{schedule['series_id']}"
    status, series = tutor.ask("POST", f"{path}/skip", {"dates": [day(2)]})
    assert (status, series["exdates"]) == (200, [day(2)])
    assert series["skips"] == [
        {"occurrence_date": day(2), "student_id": None, "reason": "excluded", "schedule_id": None}
    ]
    assert "except" in series["text"]
    assert series["participants"] == [{"student_id": 22, "booking_id": school.booking_id}]
    assert tutor.ask("GET", path) == (200, series)
    assert [item["status"] for item in listed(tutor)][:3] == ["scheduled", "cancelled", "scheduled"]
    for odd in ([], [day(1)], ["soon"]):
        assert tutor.ask("POST", f"{path}/skip", {"dates": odd})[0] == 422


def test_a_student_books_a_free_slot_and_gives_it_back(school: School, client_for: ClientFor, tutor: ApiClient) -> None:
    slot = tutor.ask("POST", "/v1/schedules", body())[1]["schedule_id"]
    student, free = client_for(school.student), f"/v1/tutors/11/slots?from={day(0)}&to={day(6)}"
    status, page = student.ask("GET", free)
    assert (status, page["next"]) == (200, None)
    assert page["items"] == [
        {
            "schedule_id": slot,
            "starts_at": f"{day(0)}T07:00:00Z",
            "ends_at": f"{day(0)}T08:00:00Z",
            "bookable": True,
            "subject": "Mathematics",
            "grade_level": "Grade 10",
            "session_format": "online",
        }
    ]
    status, lesson = student.ask("POST", f"/v1/schedules/{slot}/book")
    assert (status, lesson["id"], lesson["student_id"], lesson["booking_id"]) == (200, slot, 22, school.booking_id)
    assert lesson["booked_at"] is not None
    assert student.ask("GET", free)[1]["items"] == []
    assert client_for(school.other_student).ask("POST", f"/v1/schedules/{slot}/book")[0] == 409
    assert client_for(school.other_student).ask("POST", f"/v1/schedules/{slot}/cancel")[0] == 404
    assert student.ask("POST", f"/v1/schedules/{slot}/cancel")[0] == 200
    assert len(student.ask("GET", free)[1]["items"]) == 1
    child = {"student_id": 25}
    status, lesson = client_for(school.other_parent).ask("POST", f"/v1/schedules/{slot}/book", child)
    assert (status, lesson["student_id"], lesson["booking_id"]) == (200, 25, None)
    assert tutor.ask("POST", f"/v1/schedules/{slot}/book")[0] == 403
    assert tutor.ask("GET", f"/v1/tutors/99/slots?from={day(0)}&to={day(6)}")[0] == 404


def test_pages_of_free_time_meet(school: School, tutor: ApiClient) -> None:
    tutor.ask("POST", "/v1/schedules", body(recurrence_pattern="daily"))
    tutor.ask(
        "POST", "/v1/schedules", body(school.booking_id, schedule_date=day(1), start_time="10:20", end_time="10:40")
    )
    paged = tutor.pages(f"/v1/tutors/11/slots?from={day(0)}&to={day(4)}", limit=2)
    assert [item["starts_at"] for item in paged] == [
        f"{day(0)}T07:00:00Z",
        f"{day(1)}T07:00:00Z",
        f"{day(1)}T07:40:00Z",
        f"{day(2)}T07:00:00Z",
        f"{day(3)}T07:00:00Z",
        f"{day(4)}T07:00:00Z",
    ]


def test_taught_lessons_of_the_past_are_entered(school: School, tutor: ApiClient) -> None:
    # Where the lessons are: the day there begins three hours before UTC's.
    today = datetime.now(ZoneInfo("Africa/Addis_Ababa")).date()
    lesson = body(school.booking_id, schedule_date=(today - timedelta(days=30)).isoformat(), recurrence_pattern="daily")
    assert tutor.ask("POST", "/v1/schedules", lesson)[1]["occurrences"] == 121


@pytest.mark.parametrize("odd", ["0", "-1", "x", "2147483648", "99"])
def test_an_id_that_no_row_has_is_not_found(tutor: ApiClient, odd: str) -> None:
    assert tutor.ask("GET", f"/v1/schedules/{odd}")[0] == 404
    assert tutor.ask("PATCH", f"/v1/schedules/{odd}", {"notes": "x"})[0] == 404
    assert tutor.ask("POST", f"/v1/schedules/{odd}/cancel")[0] == 404
    assert tutor.ask("GET", f"/v1/series/{odd}")[0] == 404
