"""Nobody becomes a tutor's student without their own or a parent's consent, and everybody can leave."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Bearer, ClientFor
from tests.conftest import MakeSettings, School, Sql
from worker.access.callers import Operator
from worker.api.app import create_api
from worker.api.services import Services
from worker.bookings.booking_commands import MAX_WAITING
from worker.database import Database

BOOKING = {"student_id": 25, "subject": "Physics <https://evil.example>", "grade_level": "Grade 10"}
TIMES = {"start_time": "00:00", "end_time": "23:59", "recurrence_pattern": "daily", "timezone": "Africa/Addis_Ababa"}
TOMORROW = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()


@pytest.fixture
def offered(school: School, client_for: ClientFor) -> dict[str, Any]:
    """A booking that tutor 11 offers to student 25, who knows nothing of them."""
    status, booking = client_for(school.tutor).ask("POST", "/v1/bookings", BOOKING)
    assert (status, booking["status"]) == (201, "pending")
    return dict(booking)


def problem(response: Any, *ids: int) -> tuple[Any, ...]:
    """Status, body and headers of a response without what differs by request: id, length, ids in the path."""
    body, headers = response.text, dict(response.headers)
    for item in (headers.pop("x-request-id"), *map(str, ids)):
        body = body.replace(item, "…")
    headers.pop("content-length")
    return response.status_code, body, headers


def test_the_tutor_learns_nothing_from_a_pending_booking(
    school: School, client_for: ClientFor, sql: Sql, offered: dict[str, Any]
) -> None:
    tutor = client_for(school.tutor)
    sql("UPDATE student_profiles SET grade_level = 'Grade 12' WHERE id = 25")
    # The student has a lesson with their own tutor then.
    lesson = {
        "booking_id": school.other_booking_id,
        "schedule_date": TOMORROW,
        "start_time": "10:00",
        "end_time": "11:00",
    }
    assert client_for(school.other_tutor).ask("POST", "/v1/schedules", lesson)[0] == 201
    assert [item["student_id"] for item in tutor.ask("GET", "/v1/me/students")[1]["items"]] == [22]
    assert tutor.ask("GET", "/v1/me/students?status=pending")[1]["items"] == []
    new_lesson = {"booking_id": offered["id"], "schedule_date": TOMORROW, **TIMES}
    for query in ("?dry_run=true", "?skip_conflicts=true", ""):
        status, document = tutor.ask("POST", f"/v1/schedules{query}", new_lesson)
        assert status == 409
        assert "conflicts" not in document
    assert tutor.ask("POST", "/v1/whiteboard/sessions", {"booking_id": offered["id"]})[0] == 409
    assert tutor.ask("GET", f"/v1/bookings/{offered['id']}") == (200, offered)
    # Nobody's time is taken: the student's own tutor plans on.
    assert (
        client_for(school.other_tutor).ask(
            "POST", "/v1/schedules", lesson | {"start_time": "11:00", "end_time": "12:00"}
        )[0]
        == 201
    )


@pytest.mark.parametrize("who", ["other_student", "other_parent"])
def test_the_student_or_a_parent_accepts(
    school: School, client_for: ClientFor, sql: Sql, offered: dict[str, Any], who: str
) -> None:
    path = f"/v1/bookings/{offered['id']}"
    learner, tutor = client_for(getattr(school, who)), client_for(school.tutor)
    assert learner.ask("GET", "/v1/bookings?status=pending")[1]["items"] == [offered]
    for _ in range(2):
        assert learner.ask("POST", f"{path}/accept") == (200, offered | {"status": "active"})
    assert [item["student_id"] for item in tutor.ask("GET", "/v1/me/students")[1]["items"]] == [25, 22]
    deliveries = sql("SELECT DISTINCT user_id, data FROM deliveries WHERE kind = 'booking-accepted'")
    assert deliveries == [(1, {"booking_id": offered["id"], "student": "student 5"})]
    assert learner.ask("POST", f"{path}/decline")[0] == 409


@pytest.mark.parametrize("who", ["other_student", "other_parent"])
def test_the_student_or_a_parent_declines(
    school: School, client_for: ClientFor, offered: dict[str, Any], who: str
) -> None:
    path, learner = f"/v1/bookings/{offered['id']}", client_for(getattr(school, who))
    for _ in range(2):
        assert learner.ask("POST", f"{path}/decline") == (200, offered | {"status": "declined"})
    assert learner.ask("POST", f"{path}/accept")[0] == 409
    tutor = client_for(school.tutor)
    assert tutor.ask("PATCH", path, {"status": "active"})[0] == 409
    assert [item["student_id"] for item in tutor.ask("GET", "/v1/me/students?status=declined")[1]["items"]] == []


def test_a_change_of_status_is_an_answer_too(school: School, client_for: ClientFor, offered: dict[str, Any]) -> None:
    path, student = f"/v1/bookings/{offered['id']}", client_for(school.other_student)
    assert client_for(school.tutor).ask("PATCH", path, {"status": "active"})[0] == 403
    assert student.ask("PATCH", path, {"status": "active", "notes": "x"})[0] == 403
    assert student.ask("PATCH", path, {"status": "active"})[1]["status"] == "active"
    assert student.ask("PATCH", path, {"status": "paused"})[0] == 403
    assert student.ask("PATCH", path, {"status": "cancelled"})[1]["status"] == "cancelled"


def test_the_tutor_takes_an_offer_back(school: School, client_for: ClientFor, offered: dict[str, Any]) -> None:
    path, tutor = f"/v1/bookings/{offered['id']}", client_for(school.tutor)
    assert tutor.ask("POST", f"{path}/accept")[0] == 403
    assert tutor.ask("POST", f"{path}/decline")[0] == 403
    assert tutor.ask("POST", f"{path}/end")[1]["status"] == "declined"
    assert client_for(school.other_student).ask("POST", f"{path}/accept")[0] == 409


@pytest.mark.parametrize("who", ["tutor", "student", "parent"])
@pytest.mark.parametrize("paused", [False, True])
def test_each_side_ends_a_booking_and_its_lessons(
    school: School, client_for: ClientFor, sql: Sql, who: str, paused: bool
) -> None:
    tutor, path = client_for(school.tutor), f"/v1/bookings/{school.booking_id}"
    new_lesson = {"booking_id": school.booking_id, "schedule_date": TOMORROW, **TIMES}
    assert tutor.ask("POST", "/v1/schedules", new_lesson)[0] == 201
    if paused:
        assert tutor.ask("PATCH", path, {"status": "paused"})[0] == 200
    for _ in range(2):
        assert client_for(getattr(school, who)).ask("POST", f"{path}/end")[1]["status"] == "completed"
    assert sql("SELECT DISTINCT status FROM tutor_schedules") == [("cancelled",)]
    notified_users = sql("SELECT DISTINCT user_id FROM deliveries WHERE kind = 'booking-ended'")
    assert notified_users == ([] if who == "tutor" else [(1,)])


def test_who_speaks_for_the_student_needs_no_second_word(school: School, client_for: ClientFor, sql: Sql) -> None:
    """A tutor who is the parent of the child, by the database."""
    sql("INSERT INTO parent_profiles (id, user_id) VALUES (91, 1)")
    sql("UPDATE student_profiles SET parent_id = '{36, 91}' WHERE id = 25")
    both = type(school.tutor)(1, "tutor", tutor_id=11, parent_id=91)
    assert client_for(both).ask("POST", "/v1/bookings", BOOKING)[1]["status"] == "active"
    assert client_for(both).ask("POST", "/v1/bookings", BOOKING | {"student_id": 22})[1]["status"] == "pending"


def test_an_id_that_nobody_has_is_offered_like_any_other(school: School, client_for: ClientFor, sql: Sql) -> None:
    """Otherwise any tutor could find out which students there are."""
    tutor = client_for(school.tutor)
    sql("UPDATE student_profiles SET is_active = false WHERE id = 22")
    responses = [
        tutor.send("POST", "/v1/bookings", BOOKING | {"student_id": student_id}) for student_id in (22, 25, 2_000_000)
    ]
    outlines = set()
    for response, student_id in zip(responses, (22, 25, 2_000_000), strict=True):
        document = response.json()
        assert document["student_id"] == student_id
        headers = {name for name in response.headers if name not in {"x-request-id", "content-length"}}
        outlines.add((response.status_code, document["status"], *document, *sorted(headers)))
        assert tutor.ask("GET", response.headers["location"]) == (200, document)
    assert len(outlines) == 1
    assert tutor.ask("POST", f"{responses[2].headers['location']}/end")[1]["status"] == "declined"


def test_a_student_is_told_of_a_tutor_once_and_in_our_words(school: School, client_for: ClientFor, sql: Sql) -> None:
    tutor = client_for(school.tutor)
    for _ in range(3):
        booking = tutor.ask("POST", "/v1/bookings", BOOKING)[1]
        tutor.ask("POST", f"/v1/bookings/{booking['id']}/end")
    deliveries = sql("SELECT user_id, channel, data FROM deliveries ORDER BY user_id, channel")
    first = sql("SELECT min(id) FROM tutor_student_bookings WHERE subject = :subject", subject=BOOKING["subject"])[0][0]
    to_student = {"booking_id": first, "tutor": "tutor 1"}
    to_parent = {**to_student, "student": "student 5"}
    assert [tuple(item) for item in deliveries] == [
        *((5, channel, to_student) for channel in ("email", "in_app")),
        *((6, channel, to_parent) for channel in ("email", "in_app")),
    ]


@pytest.mark.parametrize("student_id", [25, 2_000_000])
def test_one_tutor_does_not_fill_the_list_of_a_student(school: School, client_for: ClientFor, student_id: int) -> None:
    """Nor learns from it whether there is one."""
    tutor = client_for(school.tutor)
    offers = [tutor.send("POST", "/v1/bookings", BOOKING | {"student_id": student_id}) for _ in range(MAX_WAITING + 1)]
    assert [offer.status_code for offer in offers] == [201] * MAX_WAITING + [409]
    assert len(client_for(school.other_student).ask("GET", "/v1/bookings?status=pending")[1]["items"]) in (
        0,
        MAX_WAITING,
    )
    assert tutor.ask("POST", f"{offers[0].headers['location']}/end")[0] == 200
    assert tutor.ask("POST", "/v1/bookings", BOOKING | {"student_id": student_id})[0] == 201


def test_offers_and_requests_of_a_day_are_bounded(
    school: School, settings: MakeSettings, database: Database, bearer: Bearer, sql: Sql
) -> None:
    services = Services(settings(limit_bookings_per_day=2), database, failure_hooks={})
    with TestClient(create_api(services)) as client:
        for who, path, body in (
            (school.tutor, "/v1/bookings", {"student_id": 25}),
            (school.student, "/v1/session-requests", {"tutor_id": 14}),
        ):
            responses = [
                client.post(path, json={**body, "package_name": f"Package {number}"}, headers=bearer(who))
                for number in range(3)
            ]
            assert [response.status_code for response in responses] == [201, 201, 429]
            assert int(responses[2].headers["retry-after"]) > 0
    assert sql("SELECT count(*) FROM session_requests") == [(2,)]


def test_a_student_who_shares_a_booking_is_told_of_each_further_one(
    school: School, client_for: ClientFor, sql: Sql
) -> None:
    for subject in ("Biology", "Chemistry"):
        client_for(school.tutor).ask("POST", "/v1/bookings", {"student_id": 22, "subject": subject})
    assert sql("SELECT count(*) FROM deliveries WHERE user_id = 2 AND channel = 'email'") == [(2,)]


@pytest.mark.parametrize("verb", ["accept", "decline", "end"])
def test_unknown_and_foreign_bookings_are_answered_alike(
    school: School, client_for: ClientFor, verb: str, offered: dict[str, Any]
) -> None:
    for who in ("student", "parent", "other_tutor"):
        asker = client_for(getattr(school, who))
        mine, theirs = offered["id"], 2_000_000
        foreign, unknown = (asker.send("POST", f"/v1/bookings/{booking_id}/{verb}") for booking_id in (mine, theirs))
        assert foreign.status_code == 404
        assert problem(foreign, mine) == problem(unknown, theirs)
    assert client_for(school.tutor).ask("GET", f"/v1/bookings/{offered['id']}")[1]["status"] == "pending"


def test_an_operator_answers_for_nobody(
    school: School, client_for: ClientFor, operator: Operator, offered: dict[str, Any]
) -> None:
    for verb in ("accept", "decline", "end"):
        assert client_for(operator).ask("POST", f"/v1/bookings/{offered['id']}/{verb}")[0] == 403


def test_a_parent_who_is_one_no_longer_enrols_nobody(school: School, client_for: ClientFor, sql: Sql) -> None:
    request = {"tutor_id": 11, "student_id": 25}
    session_request = client_for(school.other_parent).ask("POST", "/v1/session-requests", request)[1]
    sql("UPDATE student_profiles SET parent_id = '{}' WHERE id = 25")
    assert client_for(school.tutor).ask("POST", f"/v1/session-requests/{session_request['id']}/accept")[0] == 409
    assert sql("SELECT count(*) FROM tutor_student_bookings WHERE student_id = 25 AND tutor_id = 11") == [(0,)]
