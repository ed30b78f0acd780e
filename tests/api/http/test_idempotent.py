"""Idempotency-Key over HTTP, with many equal requests at the same time."""

from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from tests.api.conftest import Bearer, ClientFor, Serve
from tests.conftest import School
from tests.waiting import TIMEOUT
from worker.database import Database

BODY = {"student_id": 25, "subject": "Physics", "price_per_session": 150}


def _count(database: Database, table: str) -> int:
    with database.transaction() as session:
        return int(session.scalar(text(f"SELECT count(*) FROM {table}")) or 0)  # noqa: S608 - names of this file


def test_fifty_equal_posts_at_once_make_one_booking(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer, database: Database
) -> None:
    before = _count(database, "tutor_student_bookings")
    headers = bearer(school.tutor) | {"Idempotency-Key": "one-click"}
    with serve(api) as url, httpx2.Client(trust_env=False, timeout=TIMEOUT) as client:

        def post(_number: int) -> httpx2.Response:
            return client.post(f"{url}/v1/bookings", json=BODY, headers=headers)

        with ThreadPoolExecutor(50) as threads:
            responses = list(threads.map(post, range(50)))
    assert {response.status_code for response in responses} == {201}
    assert len({response.content for response in responses}) == 1
    assert len({response.headers["location"] for response in responses}) == 1
    assert sum("idempotency-replayed" in response.headers for response in responses) == 49
    assert _count(database, "tutor_student_bookings") == before + 1


def test_the_same_request_written_otherwise_is_the_same(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    key = {"Idempotency-Key": "k"}
    first = tutor.send("POST", "/v1/bookings", BODY, headers=key)
    again = tutor.send("POST", "/v1/bookings", dict(reversed(BODY.items())), headers=key)
    assert (again.status_code, again.content) == (201, first.content)
    assert again.headers["content-type"] == first.headers["content-type"] == "application/json"


def test_another_body_or_address_under_the_same_key_is_refused(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    key = {"Idempotency-Key": "k"}
    assert tutor.ask("POST", "/v1/bookings", BODY, headers=key)[0] == 201
    assert tutor.ask("POST", "/v1/bookings", BODY | {"notes": "x"}, headers=key)[0] == 422
    assert tutor.ask("POST", "/v1/whiteboard/sessions", {}, headers=key)[0] == 422


def test_another_query_under_the_same_key_is_another_request(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    key = {"Idempotency-Key": "k"}
    body = {"schedule_date": "2027-01-04", "start_time": "14:00", "end_time": "15:00"}
    path = "/v1/schedules?skip_conflicts=true&calendar=gregorian"
    first = tutor.send("POST", path, body, headers=key)
    again = tutor.send("POST", "/v1/schedules?calendar=gregorian&skip_conflicts=true", body, headers=key)
    assert (first.status_code, again.content) == (201, first.content)
    assert tutor.ask("POST", "/v1/schedules?skip_conflicts=false", body, headers=key)[0] == 422
    assert tutor.ask("POST", "/v1/schedules", body, headers=key)[0] == 422


def test_the_key_of_somebody_else_is_another_key(school: School, client_for: ClientFor) -> None:
    key = {"Idempotency-Key": "k"}
    mine = client_for(school.tutor).ask("POST", "/v1/bookings", BODY, headers=key)[1]
    theirs = client_for(school.other_tutor).ask("POST", "/v1/bookings", BODY, headers=key)[1]
    assert (mine["tutor_id"], theirs["tutor_id"]) == (11, 14)


def test_a_refused_request_may_be_corrected_under_its_key(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    key = {"Idempotency-Key": "k"}
    assert (
        tutor.ask("POST", "/v1/bookings", BODY | {"end_date": "2020-01-01", "start_date": "2020-01-02"}, headers=key)[0]
        == 422
    )
    assert tutor.ask("POST", "/v1/bookings", BODY, headers=key)[0] == 201


def test_sessions_and_pages_are_made_once_too(school: School, client_for: ClientFor, database: Database) -> None:
    tutor = client_for(school.tutor)
    for _ in range(2):
        body = {"booking_id": school.booking_id, "scheduled_start": "2026-02-02T14:00:00+03:00"}
        board_session = tutor.ask("POST", "/v1/whiteboard/sessions", body, headers={"Idempotency-Key": "s"})[1]
        tutor.ask("POST", f"/v1/whiteboard/sessions/{board_session['id']}/pages", {}, headers={"Idempotency-Key": "p"})
    assert (_count(database, "whiteboard_sessions"), _count(database, "whiteboard_pages")) == (1, 2)


@pytest.mark.parametrize("key", ["", "a b", "x" * 256, "\x7f"])
def test_odd_keys_are_refused(school: School, client_for: ClientFor, key: str) -> None:
    status, problem = client_for(school.tutor).ask("POST", "/v1/bookings", BODY, headers={"Idempotency-Key": key})
    assert (status, problem["code"]) == (422, "invalid-input")
