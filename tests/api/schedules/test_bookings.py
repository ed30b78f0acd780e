"""`/v1/bookings` for tutors, students, parents and operators."""

from typing import Any

import pytest

from tests.api.conftest import ClientFor
from tests.conftest import School
from worker.access.callers import Operator

BOOKING = {
    "student_id": 25,
    "subject": "Physics",
    "grade_level": "Grade 10",
    "session_type": "hybrid",
    "sessions_per_week": 3,
    "session_duration": 60,
    "start_date": "2026-02-01",
    "end_date": "2026-06-30",
    "price_per_session": 249.99,
    "notes": "ፊዚክስ",
}


def test_a_tutor_offers_a_booking(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    response = tutor.send("POST", "/v1/bookings", BOOKING)
    assert response.status_code == 201
    document = response.json()
    assert response.headers["location"] == f"/v1/bookings/{document['id']}"
    assert document | BOOKING == document
    assert (document["tutor_id"], document["status"], document["currency"]) == (11, "pending", "ETB")
    for reader in (tutor, client_for(school.other_student), client_for(school.other_parent)):
        assert reader.ask("GET", response.headers["location"]) == (200, document)


@pytest.mark.parametrize("who", ["student", "parent", "operator"])
def test_only_tutors_enrol(school: School, client_for: ClientFor, operator: Operator, who: str) -> None:
    caller = operator if who == "operator" else getattr(school, who)
    assert client_for(caller).ask("POST", "/v1/bookings", BOOKING)[0] == 403


@pytest.mark.parametrize(
    ("who", "expected_status"),
    [
        ("tutor", 200),
        ("student", 200),
        ("parent", 200),
        ("other_tutor", 404),
        ("other_student", 404),
        ("other_parent", 404),
    ],
)
def test_who_sees_a_booking(school: School, client_for: ClientFor, who: str, expected_status: int) -> None:
    status, _ = client_for(getattr(school, who)).ask("GET", f"/v1/bookings/{school.booking_id}")
    assert status == expected_status
    status, listed = client_for(getattr(school, who)).ask("GET", "/v1/bookings")
    assert status == 200
    assert (school.booking_id in [item["id"] for item in listed["items"]]) == (expected_status == 200)


def test_an_operator_sees_all_of_them(school: School, client_for: ClientFor, operator: Operator) -> None:
    _, listed = client_for(operator).ask("GET", "/v1/bookings")
    assert [item["id"] for item in listed["items"]] == [school.other_booking_id, school.booking_id]


def test_pausing_and_ending(school: School, client_for: ClientFor) -> None:
    path, tutor = f"/v1/bookings/{school.booking_id}", client_for(school.tutor)
    for status in ("paused", "active", "completed", "completed"):
        assert tutor.ask("PATCH", path, {"status": status})[1]["status"] == status
    for change in ({"status": "active"}, {"status": "cancelled"}, {"notes": "late"}):
        assert tutor.ask("PATCH", path, change)[0] == 409


@pytest.mark.parametrize(("who", "status"), [("student", 403), ("parent", 403), ("other_tutor", 404)])
def test_others_do_not_change_it(school: School, client_for: ClientFor, who: str, status: int) -> None:
    path = f"/v1/bookings/{school.booking_id}"
    for change in ({"notes": "x"}, {"status": "paused"}, {"status": "cancelled", "end_date": None}):
        assert client_for(getattr(school, who)).ask("PATCH", path, change)[0] == status
    assert client_for(school.tutor).ask("GET", path)[1]["status"] == "active"


def test_dates_are_looked_at_together(school: School, client_for: ClientFor) -> None:
    path, tutor = f"/v1/bookings/{school.booking_id}", client_for(school.tutor)
    assert tutor.ask("PATCH", path, {"start_date": "2026-02-01"})[0] == 200
    assert tutor.ask("PATCH", path, {"end_date": "2026-01-31"})[0] == 422
    assert tutor.ask("PATCH", path, {"end_date": "2026-02-01"})[0] == 200


@pytest.mark.parametrize(
    "change",
    [
        {"student_id": 0},
        {"student_id": 2**31},
        {"student_id": "25"},
        {"student_id": True},
        {"subject": "x" * 201},
        {"subject": "a\x00b"},
        {"subject": "\ud800"},
        {"session_type": "underwater"},
        {"sessions_per_week": 0},
        {"session_duration": 1.5},
        {"start_date": 0},
        {"start_date": "2026-02-30"},
        {"end_date": "2026-01-31"},
        {"price_per_session": -1},
        {"price_per_session": 0.001},
        {"price_per_session": float("nan")},
        {"currency": "birr"},
        {"tutor_id": 14},
        {"id": 5},
    ],
)
def test_what_cannot_be_a_booking_is_refused(school: School, client_for: ClientFor, change: dict[str, Any]) -> None:
    response = client_for(school.tutor).send("POST", "/v1/bookings", BOOKING | change)
    assert response.status_code == 422, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert len(client_for(school.tutor).ask("GET", "/v1/bookings")[1]["items"]) == 1


def test_nothing_is_set_to_null_that_must_be(school: School, client_for: ClientFor) -> None:
    path, tutor = f"/v1/bookings/{school.booking_id}", client_for(school.tutor)
    assert tutor.ask("PATCH", path, {"status": None})[0] == 422
    assert tutor.ask("PATCH", path, {"subject": None})[1]["subject"] is None


def test_pages_of_a_list_meet_without_gap_or_double(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    booking_ids = [tutor.ask("POST", "/v1/bookings", BOOKING)[1]["id"] for _ in range(4)]
    assert [page["id"] for page in tutor.pages("/v1/bookings", limit=2)] == [*reversed(booking_ids), school.booking_id]


@pytest.mark.parametrize(
    "query", ["cursor=x", "cursor=%00", "cursor=YmVmb3JlIC0x", "limit=0", "limit=9999", "status=odd"]
)
def test_odd_list_questions_are_refused(school: School, client_for: ClientFor, query: str) -> None:
    assert client_for(school.tutor).ask("GET", f"/v1/bookings?{query}")[0] == 422


@pytest.mark.parametrize("odd", ["0", "-1", "x", "2147483648", "1e3", "%00"])
def test_an_id_that_no_row_can_have_is_not_found(school: School, client_for: ClientFor, odd: str) -> None:
    assert client_for(school.tutor).ask("GET", f"/v1/bookings/{odd}")[0] == 404
