"""`/v1/session-requests` for students, parents and tutors."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from tests.api.conftest import Bearer, ClientFor, Serve
from tests.conftest import School
from tests.waiting import TIMEOUT
from worker.access.callers import Operator
from worker.database import Database

PATH = "/v1/session-requests"
SCHEDULE = {
    "schedule_type": "recurring",
    "months": None,
    "days": ["Monday", " Wednesday", " Friday"],
    "specific_dates": None,
    "start_time": "14:00",
    "end_time": "15:00",
}
REQUEST = {
    "tutor_id": 11,
    "package_name": "Mathematics Grade 9",
    "student_grade": "Grade 9",
    "message": "ሰላም, is Monday fine?",
    "contact_phone": "+251911000000",
    "contact_email": "family@example.org",
    "schedule": SCHEDULE,
}


def ids(listing: tuple[int, Any]) -> list[int]:
    assert listing[0] == 200, listing
    return [item["id"] for item in listing[1]["items"]]


def test_a_student_asks(school: School, client_for: ClientFor) -> None:
    response = client_for(school.student).send("POST", PATH, REQUEST)
    assert response.status_code == 201, response.text
    document = response.json()
    assert response.headers["location"] == f"{PATH}/{document['id']}"
    # The requested times are returned as they were sent, times to the second.
    sent = SCHEDULE | {"start_time": "14:00:00", "end_time": "15:00:00"}
    assert document | REQUEST | {"schedule": sent} == document
    assert (document["status"], document["student_id"], document["requester_id"], document["requester_type"]) == (
        "pending",
        22,
        22,
        "student",
    )
    assert (document["student_name"], document["responded_at"], document["booking_id"]) == ("student 2", None, None)
    for reader in (school.student, school.tutor):
        assert client_for(reader).ask("GET", response.headers["location"]) == (200, document)


def test_the_least_that_can_be_asked(school: School, client_for: ClientFor) -> None:
    status, session_request = client_for(school.student).ask("POST", PATH, {"tutor_id": 11})
    assert (status, session_request["package_name"], session_request["schedule"]) == (201, None, None)
    status, accepted = client_for(school.tutor).ask("POST", f"{PATH}/{session_request['id']}/accept")
    assert (status, accepted["booking"]["subject"], accepted["series_id"]) == (200, None, None)


def test_a_parent_asks_for_their_own_child_only(school: School, client_for: ClientFor) -> None:
    parent = client_for(school.parent)
    status, session_request = parent.ask("POST", PATH, REQUEST | {"student_id": 22, "student_name": "Abebe"})
    assert (status, session_request["requester_type"], session_request["requester_id"]) == (201, "parent", 33)
    assert (session_request["student_id"], session_request["student_name"]) == (22, "Abebe")
    for wrong in (REQUEST, REQUEST | {"student_id": 25}, REQUEST | {"student_id": 999}):
        assert parent.ask("POST", PATH, wrong | {"package_name": "Other"})[0] == 422
    # The token says nothing of children: only the database does.
    assert client_for(school.other_parent).ask("POST", PATH, REQUEST | {"student_id": 25})[0] == 201


def test_a_student_asks_for_nobody_else(school: School, client_for: ClientFor) -> None:
    assert client_for(school.student).ask("POST", PATH, REQUEST | {"student_id": 25})[0] == 422
    assert client_for(school.student).ask("POST", PATH, REQUEST | {"student_id": 22})[0] == 201


def test_tutors_and_operators_do_not_ask(school: School, client_for: ClientFor, operator: Operator) -> None:
    for caller in (school.other_tutor, operator):
        assert client_for(caller).ask("POST", PATH, REQUEST)[0] == 403


def test_asking_twice_is_a_conflict_until_it_is_answered(school: School, client_for: ClientFor) -> None:
    student, tutor = client_for(school.student), client_for(school.tutor)
    first = student.ask("POST", PATH, REQUEST)[1]["id"]
    assert student.ask("POST", PATH, REQUEST)[0] == 409
    assert client_for(school.parent).ask("POST", PATH, REQUEST | {"student_id": 22})[1]["session_request_id"] == first
    assert student.ask("POST", PATH, REQUEST | {"package_name": "Physics"})[0] == 201
    assert student.ask("POST", PATH, REQUEST | {"tutor_id": 14})[0] == 201
    assert tutor.ask("POST", f"{PATH}/{first}/reject", {"reason": "No time."})[1]["status"] == "rejected"
    assert student.ask("POST", PATH, REQUEST)[0] == 201


def test_asking_twice_at_once_makes_one(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer, database: Database
) -> None:
    with (
        serve(api) as url,
        httpx2.Client(trust_env=False, timeout=TIMEOUT) as client,
        ThreadPoolExecutor(8) as threads,
    ):

        def post(headers: dict[str, str]) -> int:
            return client.post(f"{url}{PATH}", json=REQUEST, headers=bearer(school.student) | headers).status_code

        assert sorted(threads.map(post, [{}] * 8)) == [201] + [409] * 7
        with database.transaction() as session:
            session.execute(text("DELETE FROM session_requests"))
        assert set(threads.map(post, [{"Idempotency-Key": "one-click"}] * 8)) == {201}
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM session_requests")) == 1


def test_who_sees_which(school: School, client_for: ClientFor, operator: Operator) -> None:
    by_student = client_for(school.student).ask("POST", PATH, REQUEST)[1]["id"]
    by_parent = client_for(school.parent).ask("POST", PATH, {"tutor_id": 14, "student_id": 22})[1]["id"]
    expected_ids = {
        "tutor": [by_student],
        "other_tutor": [by_parent],
        "student": [by_student],
        "parent": [by_parent],
        "other_student": [],
        "other_parent": [],
    }
    for who, expected in expected_ids.items():
        caller = client_for(getattr(school, who))
        assert ids(caller.ask("GET", PATH)) == expected
        for request_id in (by_student, by_parent):
            assert caller.ask("GET", f"{PATH}/{request_id}")[0] == (200 if request_id in expected else 404)
    assert ids(client_for(operator).ask("GET", PATH)) == [by_parent, by_student]


def test_the_panel_of_pending_requests(school: School, client_for: ClientFor) -> None:
    student, tutor = client_for(school.student), client_for(school.tutor)
    request_ids = [student.ask("POST", PATH, {"tutor_id": 11, "package_name": str(each)})[1]["id"] for each in range(5)]
    tutor.ask("POST", f"{PATH}/{request_ids[0]}/accept")
    tutor.ask("POST", f"{PATH}/{request_ids[1]}/reject")
    assert ids(tutor.ask("GET", f"{PATH}?status=pending")) == request_ids[:1:-1]
    assert ids(tutor.ask("GET", f"{PATH}?status=accepted")) == request_ids[:1]
    assert ids(student.ask("GET", f"{PATH}?status=rejected")) == request_ids[1:2]
    page = tutor.ask("GET", f"{PATH}?status=pending&limit=2")[1]
    rest = tutor.ask("GET", f"{PATH}?status=pending&limit=2&cursor={page['next']}")
    assert [item["id"] for item in page["items"]] + ids(rest) == request_ids[:1:-1]
    assert rest[1]["next"] is None
    for odd in ("status=odd", "cursor=x", "limit=0"):
        assert tutor.ask("GET", f"{PATH}?{odd}")[0] == 422


def test_accepting_over_http(school: School, client_for: ClientFor) -> None:
    student, tutor = client_for(school.student), client_for(school.tutor)
    session_request = student.ask("POST", PATH, REQUEST)[1]
    path = f"{PATH}/{session_request['id']}"
    assert student.ask("POST", f"{path}/accept")[0] == 403
    assert client_for(school.other_tutor).ask("POST", f"{path}/accept")[0] == 404
    body = {"session_type": "online", "price_per_session": 249.99}
    status, accepted = tutor.ask("POST", f"{path}/accept", body)
    assert (status, accepted["status"]) == (200, "accepted")
    booking = accepted["booking"]
    assert booking | body | {"package_name": REQUEST["package_name"], "sessions_per_week": 3} == booking
    assert booking["id"] == accepted["booking_id"]
    assert accepted["text"].startswith("Every Monday, Wednesday and Friday")
    assert accepted["conflicts"] == []
    assert tutor.ask("POST", f"{path}/accept", body) == (200, accepted)
    assert tutor.ask("POST", f"{path}/reject")[0] == 409
    assert student.ask("GET", f"/v1/bookings/{booking['id']}") == (200, booking)
    # Paused over HTTP, the lessons stop; they are the tutor's again to see when it goes on.
    series = tutor.ask("GET", f"/v1/series/{accepted['series_id']}")[1]
    assert series["status"] == "active"
    assert tutor.ask("PATCH", f"/v1/bookings/{booking['id']}", {"status": "paused"})[0] == 200
    assert tutor.ask("GET", f"/v1/series/{accepted['series_id']}")[1]["status"] == "paused"


def test_a_conflict_over_http_names_the_other_lesson(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    first = client_for(school.student).ask("POST", PATH, REQUEST)[1]["id"]
    second = client_for(school.other_student).ask("POST", PATH, REQUEST | {"package_name": "Physics"})[1]["id"]
    assert tutor.ask("POST", f"{PATH}/{first}/accept")[0] == 200
    status, problem = tutor.ask("POST", f"{PATH}/{second}/accept")
    assert (status, problem["code"]) == (409, "conflict")
    assert {item["reason"] for item in problem["conflicts"]} == {"tutor-busy"}
    assert all(isinstance(item["schedule_id"], int) for item in problem["conflicts"])
    assert tutor.ask("GET", f"{PATH}/{second}")[1]["status"] == "pending"
    status, accepted = tutor.ask("POST", f"{PATH}/{second}/accept?skip_conflicts=true")
    assert status == 200
    # A 409 leaves out a student_id that there is not.
    assert [item | {"student_id": None} for item in problem["conflicts"]] == [
        item
        | {"starts_at": item["starts_at"].replace("Z", "+00:00"), "ends_at": item["ends_at"].replace("Z", "+00:00")}
        for item in accepted["conflicts"]
    ]


def test_accepting_twice_at_once_over_http(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer, database: Database
) -> None:
    with (
        serve(api) as url,
        httpx2.Client(trust_env=False, timeout=TIMEOUT) as client,
        ThreadPoolExecutor(8) as threads,
    ):
        session_request = client.post(f"{url}{PATH}", json=REQUEST, headers=bearer(school.student)).json()

        def accept(_number: int) -> httpx2.Response:
            return client.post(f"{url}{PATH}/{session_request['id']}/accept", headers=bearer(school.tutor))

        responses = list(threads.map(accept, range(8)))
    assert {response.status_code for response in responses} == {200}
    assert len({response.content for response in responses}) == 1
    with database.transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM schedule_series")) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"tutor_id": 999},
        {"tutor_id": "11"},
        {"tutor_id": 2**31},
        {"tutor_id": None},
        {"student_id": True},
        {"package_name": "x" * 256},
        {"package_name": "  "},
        {"message": "a\x00b"},
        {"message": "\ud800"},
        {"message": "x" * 10_001},
        {"contact_phone": "x" * 21},
        {"status": "accepted"},
        {"requester_id": 25},
        {"booking_id": 1},
        {"schedule": []},
        {"schedule": "every Monday"},
        {"schedule": {"days": ["Monday"]}},
        {"schedule": SCHEDULE | {"start_time": None}},
        {"schedule": SCHEDULE | {"start_time": "25:00"}},
        {"schedule": SCHEDULE | {"start_time": 14}},
        {"schedule": SCHEDULE | {"start_time": "14:00+03:00"}},
        {"schedule": SCHEDULE | {"days": ["Moonday"]}},
        {"schedule": SCHEDULE | {"days": "Monday"}},
        {"schedule": SCHEDULE | {"days": ["Monday"] * 2000}},
        {"schedule": SCHEDULE | {"days": ["a\x00b"]}},
        {"schedule": SCHEDULE | {"months": [14]}},
        {"schedule": SCHEDULE | {"year": 2020}},
        {"schedule": SCHEDULE | {"year": 10**10}},
        {"schedule": SCHEDULE | {"year": 2027, "year_to": 2026}},
        {"schedule": SCHEDULE | {"schedule_type": "constant"}},
        {"schedule": SCHEDULE | {"schedule_type": "specific"}},
        {"schedule": SCHEDULE | {"timezone": "Mars/Olympus"}},
        {"schedule": SCHEDULE | {"schedule_date": "2026-02-30"}},
        {"schedule": SCHEDULE | {"colour": "red"}},
        {"schedule": {"recurrence_pattern": "every Moonday", "start_time": "14:00", "end_time": "15:00"}},
        {"schedule": {"recurrence_pattern": "FREQ=SECONDLY", "start_time": "14:00", "end_time": "15:00"}},
        {"schedule": {"specific_dates": ["2020-01-01"], "start_time": "14:00", "end_time": "15:00"}},
        {"schedule": {"specific_dates": ["2026-02-30"], "start_time": "14:00", "end_time": "15:00"}},
    ],
)
def test_what_cannot_be_a_request_is_refused(school: School, client_for: ClientFor, change: dict[str, Any]) -> None:
    student = client_for(school.student)
    response = student.send("POST", PATH, REQUEST | change)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert ids(student.ask("GET", PATH)) == []


@pytest.mark.parametrize(
    "body",
    [{"student_id": 25}, {"status": "active"}, {"price_per_session": -1}, {"session_type": "underwater"}, [], "yes"],
)
def test_an_acceptance_that_says_odd_things_is_refused(school: School, client_for: ClientFor, body: Any) -> None:
    request_id = client_for(school.student).ask("POST", PATH, REQUEST)[1]["id"]
    assert client_for(school.tutor).ask("POST", f"{PATH}/{request_id}/accept", body)[0] == 422
    assert client_for(school.tutor).ask("GET", f"{PATH}/{request_id}")[1]["status"] == "pending"


def test_a_tutor_does_not_ask_themselves(school: School, client_for: ClientFor, database: Database) -> None:
    with database.transaction() as session:
        session.execute(text("INSERT INTO student_profiles (id, user_id) VALUES (27, 1)"))
    both = type(school.tutor)(1, "student", tutor_id=11, student_id=27)
    assert client_for(both).ask("POST", PATH, {"tutor_id": 11})[0] == 422
    assert client_for(both).ask("POST", PATH, {"tutor_id": 14})[0] == 201


@pytest.mark.parametrize("odd", ["0", "-1", "x", "2147483648"])
def test_an_id_that_no_row_can_have_is_not_found(school: School, client_for: ClientFor, odd: str) -> None:
    tutor = client_for(school.tutor)
    assert tutor.ask("GET", f"{PATH}/{odd}")[0] == 404
    assert tutor.ask("POST", f"{PATH}/{odd}/accept")[0] == 404
