"""Every error is a problem document, and nothing that a client sends breaks the API."""

import json
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import httpx2
import jwt
import pytest
from fastapi import FastAPI
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import Bearer, ClientFor, Serve
from tests.conftest import School
from tests.waiting import TIMEOUT
from worker.access.callers import UserCaller
from worker.access.issue_token import issue_operator_token
from worker.api.app import MAX_JSON, create_api
from worker.api.services import Services
from worker.database import Database


def _problem(response: Any, status: int, code: str) -> dict[str, Any]:
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    document = dict(response.json())
    assert (document["status"], document["code"], document["type"]) == (status, code, f"urn:astegni:problem:{code}")
    assert document["title"]
    assert document["detail"]
    assert document["request_id"] == response.headers["x-request-id"]
    assert document["instance"] == response.request.url.path
    return document


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/v1", 404, "not-found"),
        ("GET", "/v1/nothing", 404, "not-found"),
        ("GET", "/v1/jobs/", 404, "not-found"),
        ("DELETE", "/v1/jobs", 405, "method-not-allowed"),
        ("GET", "/v1/jobs", 401, "unauthorized"),
        ("POST", "/v1/bookings", 401, "unauthorized"),
        ("GET", "/v1/jobs/1/events", 401, "unauthorized"),
    ],
)
def test_missing_rights_and_unknown_addresses(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    response = client.request(method, path)
    _problem(response, status, code)
    assert response.headers.get("www-authenticate") == ("Bearer" if status == 401 else None)
    assert response.headers.get("allow") == ("GET, HEAD, OPTIONS" if status == 405 else None)


@pytest.mark.parametrize("sent", ["", "Bearer", "Bearer ", "Basic YTpi", "Bearer x", "Bearer a.b.c", "Token abc"])
def test_what_is_no_token(client: TestClient, sent: str) -> None:
    _problem(client.get("/v1/jobs", headers={"Authorization": sent}), 401, "unauthorized")


def test_forged_and_foreign_tokens(school: School, client: TestClient, bearer: Bearer, services: Services) -> None:
    key = services.settings.signing_key
    forged = bearer(replace(school.tutor, tutor_id=14))
    advertiser = jwt.encode({"type": "advertiser", "advertiser_id": 1, "exp": 9_999_999_999}, key, algorithm="HS256")
    _problem(client.get("/v1/jobs", headers=forged), 401, "unauthorized")
    _problem(client.get("/v1/jobs", headers=bearer(UserCaller(999))), 401, "unauthorized")
    _problem(client.get("/v1/jobs", headers={"Authorization": f"Bearer {advertiser}"}), 401, "unauthorized")
    outsider = issue_operator_token(key, admin_id=3, departments=["manage-courses"])
    _problem(client.get("/v1/jobs", headers={"Authorization": f"Bearer {outsider}"}), 403, "forbidden")


def test_an_account_that_was_closed_is_out_at_once(
    school: School, client: TestClient, bearer: Bearer, database: Database
) -> None:
    assert client.get("/v1/jobs", headers=bearer(school.tutor)).status_code == 200
    with database.transaction() as session:
        session.execute(text("UPDATE users SET is_active = false WHERE id = 1"))
    _problem(client.get("/v1/jobs", headers=bearer(school.tutor)), 401, "unauthorized")


def test_a_wrong_body_is_named_field_by_field_and_never_repeated(school: School, client_for: ClientFor) -> None:
    body = {"student_id": "my-secret", "notes": 5, "password": "my-secret"}
    response = client_for(school.tutor).send("POST", "/v1/bookings", body)
    problem = _problem(response, 422, "invalid-input")
    assert [item["loc"] for item in problem["errors"]] == [
        ["body", "notes"],
        ["body", "student_id"],
        ["body", "password"],
    ]
    assert all(set(item) == {"loc", "msg"} for item in problem["errors"])
    assert "my-secret" not in response.text


def test_thousands_of_errors_are_not_all_told(school: School, client_for: ClientFor) -> None:
    response = client_for(school.tutor).send("POST", "/v1/bookings", {"x" * 2_000 + str(n): 1 for n in range(20)})
    _problem(response, 422, "invalid-input")
    assert len(response.content) < 10_000


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[" * 60_000,
        b'{"student_id": ' + b"9" * 10_000 + b"}",
        b"\xff\xfe",
        b'{"\\ud800": 1}',
        b"null",
        b"NaN",
    ],
)
def test_what_is_no_json_is_the_sender_s_error(school: School, client: TestClient, bearer: Bearer, raw: bytes) -> None:
    headers = bearer(school.tutor) | {"Content-Type": "application/json"}
    response = client.post("/v1/bookings", content=raw, headers=headers)
    assert response.status_code in {400, 422}
    _problem(response, response.status_code, "invalid-input" if response.status_code == 422 else "bad-request")


def test_json_must_be_called_json(school: School, client: TestClient, bearer: Bearer) -> None:
    headers = bearer(school.tutor) | {"Content-Type": "text/plain"}
    _problem(client.post("/v1/bookings", content=b'{"student_id": 22}', headers=headers), 415, "unsupported-media-type")


def test_too_large_a_body_by_its_own_word(school: School, client: TestClient, bearer: Bearer) -> None:
    headers = bearer(school.tutor) | {"Content-Type": "application/json"}
    _problem(client.post("/v1/bookings", content=b" " * (MAX_JSON + 1), headers=headers), 413, "too-large")


def test_too_large_a_body_that_does_not_say_so(school: School, api: FastAPI, serve: Serve, bearer: Bearer) -> None:
    """Chunked, without Content-Length: it is cut off while it comes, after a little more than the limit."""
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 65_536
            yield b" " * 65_536

    headers = bearer(school.tutor) | {"Content-Type": "application/json"}
    with serve(api) as url, httpx2.Client(trust_env=False, timeout=TIMEOUT) as client:
        try:
            response = client.post(f"{url}/v1/bookings", content=endless(), headers=headers)
            _problem(response, 413, "too-large")
        except httpx2.WriteError:
            pass  # the server closed the connection while we still wrote
        assert sent < 50_000_000
        assert client.get(f"{url}/healthz").status_code == 200


def test_a_crash_says_nothing_of_its_cause(api: FastAPI) -> None:
    def crash() -> None:
        raise RuntimeError("password=hush")

    api.add_api_route("/crash", crash)
    with TestClient(api) as client:
        response = client.get("/crash", headers={"X-Request-ID": "abc-1"})
        problem = _problem(response, 500, "internal")
        assert problem["request_id"] == "abc-1"
        assert "hush" not in response.text
        assert "RuntimeError" not in response.text
        assert 'route="/crash",status="500"' in client.get("/metrics").text


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a\x7f", '"'])
def test_odd_request_ids_are_replaced(client: TestClient, sent: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": sent}).headers["x-request-id"] not in {sent, ""}


def test_a_database_that_is_away_is_503_and_comes_back(
    school: School, client_for: ClientFor, database: Database, services: Services
) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with TestClient(create_api(replace(services, database=away))) as client:
        token = issue_operator_token(
            services.settings.signing_key, admin_id=3, departments=services.settings.operator_departments
        )
        response = client.get("/v1/jobs", headers={"Authorization": f"Bearer {token}"})
        _problem(response, 503, "unavailable")
        assert response.headers["retry-after"] == "5"
        assert "127.0.0.1" not in response.text
        assert client.get("/healthz").status_code == 200
    away.close()
    # Connections that were cut: the pool notices and makes new ones.
    tutor = client_for(school.tutor)
    assert tutor.ask("GET", "/v1/jobs")[0] == 200
    with database.transaction() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                " AND datname = current_database()"
            )
        )
    assert tutor.ask("GET", "/v1/jobs")[0] == 200


def test_a_lock_that_somebody_holds_is_not_an_absent_database(
    school: School, client_for: ClientFor, database: Database
) -> None:
    with database.transaction() as holder:
        holder.execute(
            text("SELECT 1 FROM tutor_student_bookings WHERE id = :id FOR UPDATE"), {"id": school.booking_id}
        )
        response = client_for(school.tutor).send("PATCH", f"/v1/bookings/{school.booking_id}", {"notes": "x"})
    problem = _problem(response, 503, "busy")
    assert "Another request is changing the same thing" in problem["detail"]
    assert response.headers["retry-after"] == "5"
    assert client_for(school.tutor).ask("PATCH", f"/v1/bookings/{school.booking_id}", {"notes": "x"})[0] == 200


def test_pages_of_other_origins_come_in_only_when_they_are_named(services: Services) -> None:
    origin = "https://astegni.example"
    asks = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    with TestClient(create_api(services)) as client:
        assert "access-control-allow-origin" not in client.get("/v1/jobs", headers={"Origin": origin}).headers
    named = replace(services, settings=services.settings.model_copy(update={"cors_origins": (origin,)}))
    with TestClient(create_api(named)) as client:
        assert client.options("/v1/bookings", headers=asks).headers["access-control-allow-origin"] == origin
        response = client.get("/v1/jobs", headers={"Origin": origin})
        # On errors too: without them a page cannot even read why it was refused.
        assert response.status_code == 401
        assert response.headers["access-control-allow-origin"] == origin
        exposed = response.headers["access-control-expose-headers"]
        assert {"Location", "Retry-After", "Idempotency-Replayed"} <= set(exposed.split(", "))
        other = client.options("/v1/bookings", headers=asks | {"Origin": "https://evil.example"})
        assert "access-control-allow-origin" not in other.headers


def test_the_description_names_every_answer(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    assert "Problem" in described["components"]["schemas"]
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], path
            # The address of a calendar or of a shared recording is itself the secret; the clock is everybody's.
            if path.startswith("/v1/") and "{secret}" not in path and path != "/v1/time":
                assert "401" in operation["responses"], (method, path)
                assert "application/problem+json" in operation["responses"]["401"]["content"]
                assert operation["security"], (method, path)
    referred = set(_references(described))
    assert referred <= {f"#/components/schemas/{name}" for name in described["components"]["schemas"]}
    assert "HTTPValidationError" not in json.dumps(described["paths"])


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "$ref":
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)
