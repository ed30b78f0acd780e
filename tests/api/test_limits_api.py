"""Limits over HTTP: a request beyond them is refused before its body is read, with the time to wait."""

from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import APIRoute
from pydantic import TypeAdapter
from starlette.testclient import TestClient

from tests.api.conftest import Bearer, ClientFor
from tests.conftest import School
from worker.api.app import _MODULES
from worker.api.whiteboards.stroke_documents import StrokesBody

_JSON = {"Content-Type": "application/json"}


def _assert_too_many(response: Any, limit: str) -> None:
    assert response.status_code == 429, response.text
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json()["code"] == "too-many-requests"
    assert response.json()["limit"] == limit
    assert 1 <= int(response.headers["retry-after"]) <= 86_400


def _refusals(client: TestClient, limit: str) -> float:
    for line in client.get("/metrics").text.splitlines():
        if line.startswith(f'astegni_limit_refusals_total{{limit="{limit}"}}'):
            return float(line.split()[1])
    return 0


@pytest.mark.parametrize("limits", [{"limit_requests_per_minute": 5}])
def test_a_person_asks_so_often_and_no_more(school: School, client_for: ClientFor, client: TestClient) -> None:
    responses = [client_for(school.tutor).send("GET", "/v1/bookings") for _ in range(6)]
    assert [response.status_code for response in responses] == [200] * 5 + [429]
    _assert_too_many(responses[-1], "requests")
    assert _refusals(client, "requests") == 1
    assert client_for(school.student).send("GET", "/v1/bookings").status_code == 200


@pytest.mark.parametrize("limits", [{"limit_requests_per_minute": 20}])
def test_a_large_body_counts_as_many_requests(school: School, client_for: ClientFor) -> None:
    tutor = client_for(school.tutor)
    body = b'{"strokes": [' + b" " * 400_000 + b"]}"
    statuses = [
        tutor.send("POST", "/v1/whiteboard/pages/1/strokes", content=body, headers=_JSON).status_code for _ in range(2)
    ]
    assert statuses == [422, 429]


@pytest.mark.parametrize("limits", [{"limit_wrong_tokens_per_minute": 3}])
def test_wrong_tokens_of_an_address_are_counted(school: School, client_for: ClientFor, client: TestClient) -> None:
    wrong = {"Authorization": "Bearer a.b.c"}
    responses = [client.get("/v1/bookings", headers=wrong) for _ in range(4)]
    assert [response.status_code for response in responses] == [401] * 3 + [429]
    _assert_too_many(responses[-1], "wrong-tokens")
    # Others behind that address go on, and so do those who have no token yet.
    assert client_for(school.tutor).send("GET", "/v1/bookings").status_code == 200
    assert client.get("/v1/bookings").status_code == 401


@pytest.mark.parametrize("limits", [{"limit_unknown_feeds_per_minute": 3}])
def test_unknown_calendars_of_an_address_are_counted(school: School, client_for: ClientFor, client: TestClient) -> None:
    url = client_for(school.tutor).ask("POST", "/v1/me/calendar")[1]["url"]
    responses = [client.get("/v1/calendar/nothing.ics") for _ in range(4)]
    assert [response.status_code for response in responses] == [404] * 3 + [429]
    _assert_too_many(responses[-1], "unknown-feeds")
    assert client.get(url).status_code == 200


@pytest.mark.parametrize("limits", [{"limit_address_requests_per_minute": 2}])
def test_requests_without_a_person_are_counted_by_address(client: TestClient) -> None:
    responses = [client.get("/v1/calendar/nothing.ics") for _ in range(3)]
    assert [response.status_code for response in responses] == [404, 404, 429]
    _assert_too_many(responses[-1], "address-requests")


_BODIES = [("POST", "/v1/bookings"), ("POST", "/v1/whiteboard/pages/1/strokes"), ("PATCH", "/v1/schedules/1")]


async def _ask(api: FastAPI, method: str, path: str, headers: dict[str, str]) -> tuple[int, int]:
    """The status of a request with a body, and how often the application received from it."""
    receives, status = 0, 0

    async def receive() -> dict[str, Any]:
        nonlocal receives
        receives += 1
        return {"type": "http.request", "body": b"{", "more_body": False}

    async def send(message: Any) -> None:
        nonlocal status
        status = message.get("status", status)

    named = {"content-length": "1", "content-type": "application/json"} | headers
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "client": ("192.0.2.1", 1),
        "server": ("127.0.0.1", 1),
        "state": {},
    }
    await api(scope, receive, send)
    return status, receives


@pytest.mark.parametrize(("method", "path"), _BODIES)
def test_without_a_token_nothing_of_a_body_is_read(api: FastAPI, client: TestClient, method: str, path: str) -> None:
    assert client.portal is not None
    assert client.portal.call(_ask, api, method, path, {}) == (401, 0)
    assert client.portal.call(_ask, api, method, path, {"Authorization": "Bearer a.b.c"}) == (401, 0)


@pytest.mark.parametrize("limits", [{"limit_requests_per_minute": 1}])
@pytest.mark.parametrize(("method", "path"), _BODIES)
def test_over_a_limit_nothing_of_a_body_is_read(
    school: School, api: FastAPI, client: TestClient, bearer: Bearer, method: str, path: str
) -> None:
    assert client.portal is not None
    assert client.portal.call(_ask, api, method, path, bearer(school.tutor)) == (422, 1)
    assert client.portal.call(_ask, api, method, path, bearer(school.tutor)) == (429, 0)


@pytest.mark.parametrize(("method", "path"), _BODIES)
def test_a_body_is_refused_at_its_limit(school: School, client_for: ClientFor, method: str, path: str) -> None:
    most = 2_000_000 if path.endswith("strokes") else 65_536
    tutor = client_for(school.tutor)
    assert tutor.send(method, path, content=b" " * (most + 1), headers=_JSON).status_code == 413
    assert tutor.send(method, path, content=iter([b" " * most, b" "]), headers=_JSON).status_code == 413
    assert tutor.send(method, path, content=b" " * most, headers=_JSON).status_code == 422


def _lists(schema: Any) -> list[Any]:
    """Every part of a core schema in which many errors can be made."""
    schemas = []
    if isinstance(schema, dict):
        if schema.get("type") in {"list", "set", "frozenset", "tuple", "dict"} and "items_schema" in schema:
            schemas.append(schema)
        for part in schema.values():
            schemas += _lists(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            schemas += _lists(part)
    return schemas


def _body_models() -> dict[str, Any]:
    routes = [route for module in _MODULES for route in module.router.routes]
    models = {
        f"{sorted(route.methods or ())[0]} {route.path}": route.body_field.field_info.annotation
        for route in routes
        if isinstance(route, APIRoute) and route.body_field is not None
    }
    return models | {"POST strokes": StrokesBody}


def test_no_body_makes_more_than_a_few_errors() -> None:
    """Making an error takes longer than reading what it is about: each list stops at its first."""
    models = _body_models()
    assert len(models) > 15
    for where, model in models.items():
        for schema in _lists(TypeAdapter(model).core_schema):
            assert schema.get("fail_fast") or schema.get("max_length", 10_000) <= 10, where


@pytest.mark.parametrize("path", ["/v1/bookings", "/v1/whiteboard/sessions", "/v1/schedules"])
def test_thousands_of_unknown_fields_make_one_error(school: School, client_for: ClientFor, path: str) -> None:
    status, problem = client_for(school.tutor).ask("POST", path, {f"{n:x}": 0 for n in range(6000)})
    assert status == 422
    assert len(problem["errors"]) == 1
