"""Every request of an operator is recorded, whatever the route."""

import threading
from uuid import UUID

import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import Bearer, ClientFor
from tests.conftest import School, Sql
from tests.waiting import TIMEOUT, wait_for
from worker.access.callers import Operator
from worker.access.operator_accesses import prune_operator_accesses
from worker.database import Database

LOOKS = "SELECT admin_id, action, address FROM operator_accesses ORDER BY id"
NAMED = {"language": "am", "secret": "x", "job_id": str(UUID(int=7)), "client_id": "c1"}
QUERIES = {
    "/v1/recordings/{recording_id}/search": "?q=x",
    "/v1/schedules": "?from=2026-02-01&to=2026-02-02",
    "/v1/tutors/{tutor_id}/slots": "?from=2026-02-01&to=2026-02-02",
}


def operations(api: FastAPI) -> list[tuple[str, str]]:
    """Every method and path template of the API's description."""
    return [
        (method.upper(), path)
        for path, item in api.openapi()["paths"].items()
        for method in item
        if method in {"get", "post", "put", "patch", "delete"}
    ]


def address_of(template: str) -> str:
    path = template
    for part in template.split("{")[1:]:
        name = part.partition("}")[0]
        path = path.replace(f"{{{name}}}", NAMED.get(name, "1"))
    return path + QUERIES.get(template, "")


def test_every_look_is_kept(
    school: School, api: FastAPI, client: TestClient, client_for: ClientFor, operator: Operator, sql: Sql
) -> None:
    """Each route that needs a token: those that do not, answer without one."""
    watched = 0
    for method, template in operations(api):
        if method != "GET":
            continue
        address = address_of(template)
        if client.get(address).status_code != 401:
            continue
        response = client_for(operator).send("GET", address)
        accesses = sql(LOOKS)[watched:]
        assert [tuple(item) for item in accesses] == [(3, f"GET {template}", address)], (template, response.status_code)
        watched += 1
    assert watched >= 30


def test_what_they_do_is_kept_too(
    school: School, api: FastAPI, client_for: ClientFor, operator: Operator, sql: Sql
) -> None:
    others = {"POST /v1/recordings", "DELETE /v1/recordings/{recording_id}"}
    for method, template in operations(api):
        if method != "GET" and f"{method} {template}" not in others:
            client_for(operator).send(method, address_of(template), {})
    actions = {item.action for item in sql(LOOKS)}
    assert {f"{method} {template}" for method, template in operations(api) if method != "GET"} - actions <= others


def test_people_are_not_watched(school: School, client_for: ClientFor, sql: Sql) -> None:
    for who in (school.tutor, school.student, school.parent):
        assert client_for(who).ask("GET", "/v1/bookings")[0] == 200
    assert sql(LOOKS) == []


@pytest.mark.parametrize("odd", ["%00", "%ff%fe", "1%0a2", "a" * 3000])
def test_odd_addresses_are_kept_as_they_were_sent(
    client_for: ClientFor, operator: Operator, school: School, sql: Sql, odd: str
) -> None:
    response = client_for(operator).send("GET", f"/v1/bookings/{odd}?x={odd}")
    assert response.status_code == 404
    assert sql(LOOKS)[0].address == f"/v1/bookings/{odd}?x={odd}"[:500]


def test_a_look_that_cannot_be_kept_is_not_answered(
    school: School, client: TestClient, bearer: Bearer, operator: Operator, sql: Sql
) -> None:
    sql("ALTER TABLE operator_accesses ADD CONSTRAINT broken CHECK (admin_id < 0)")
    assert client.get("/v1/bookings", headers=bearer(operator)).status_code == 500
    assert client.get("/v1/bookings", headers=bearer(school.tutor)).status_code == 200


def test_keeping_it_holds_up_nobody_else(
    school: School, client_for: ClientFor, operator: Operator, database: Database, sql: Sql
) -> None:
    """While the table is locked, operators wait and other callers do not."""
    responses: list[int] = []
    with database.transaction() as session:
        session.execute(text("LOCK TABLE operator_accesses IN EXCLUSIVE MODE"))
        waiting = threading.Thread(target=lambda: responses.append(client_for(operator).ask("GET", "/v1/bookings")[0]))
        waiting.start()
        locks = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        wait_for(lambda: sql(locks)[0][0] == 1)
        assert client_for(school.tutor).ask("GET", "/v1/bookings")[0] == 200
        assert responses == []
    waiting.join(timeout=TIMEOUT)
    # 503: it waited for longer than anybody waits for a lock.
    assert responses in ([200], [503])


def test_old_looks_are_forgotten(database: Database, sql: Sql) -> None:
    insert = (
        "INSERT INTO operator_accesses (admin_id, action, address, at)"
        " VALUES (3, 'GET /', '/', now() - make_interval(secs => :age))"
    )
    for age in (5, 50, 500):
        sql(insert, age=age)
    with database.transaction() as session:
        assert prune_operator_accesses(session, age=20, most=10) == 2
    assert sql("SELECT count(*) FROM operator_accesses") == [(1,)]
