"""The methods of an address: the same in `Allow`, in OPTIONS, in HEAD and in the responses."""

import httpx2
import pytest
from fastapi import FastAPI
from starlette.testclient import TestClient

from tests.api.conftest import Bearer, Serve
from tests.conftest import School
from tests.waiting import TIMEOUT, wait_for

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


def _filled(path: str) -> str:
    return (
        path.replace("{job_id}", "9f1c5d20-0000-4000-8000-000000000000")
        .replace("{client_id}", "a")
        .replace("{", "")
        .replace("}", "")
    )


def test_allow_names_every_method_of_an_address(api: FastAPI, client: TestClient) -> None:
    described = api.openapi()["paths"]
    several = 0
    for path, operations in described.items():
        methods = {method.upper() for method in operations} | {"OPTIONS"} | ({"HEAD"} if "get" in operations else set())
        where = _filled(path)
        response = client.options(where)
        assert (response.status_code, set(response.headers["allow"].split(", "))) == (204, methods), path
        for method in set(METHODS) - methods:
            refused = client.request(method, where)
            # Another address may have the same form, like `/read` beside `/{notification_id}`.
            if refused.status_code == 405:
                assert set(refused.headers["allow"].split(", ")) == methods, (method, path)
                several += len(methods) > 3
    assert several > 15


@pytest.mark.parametrize("method", ["TRACE", "PROPFIND", "get", "X"])
def test_methods_that_no_address_has(client: TestClient, method: str) -> None:
    response = client.request(method, "/v1/jobs")
    assert response.status_code in {405, 401}
    assert client.options("/v1/nothing").status_code == 404
    assert client.head("/v1/nothing").status_code == 404


def test_head_is_get_without_its_content(school: School, api: FastAPI, client: TestClient, bearer: Bearer) -> None:
    for path, operations in api.openapi()["paths"].items():
        # HEAD of an upload is tus's own.
        if "get" not in operations or "head" in operations or path.endswith(("/events", "/readyz", "/metrics")):
            continue
        where = _filled(path)
        got, head = (client.request(method, where, headers=bearer(school.tutor)) for method in ("GET", "HEAD"))
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers["content-type"] == got.headers["content-type"], path
        if got.status_code == 200:
            assert head.headers["content-length"] == got.headers["content-length"], path


def test_head_of_a_stream_ends_and_leaves_nobody_watching(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer
) -> None:
    with serve(api) as url, httpx2.Client(trust_env=False, timeout=TIMEOUT) as client:
        for _ in range(3):
            response = client.head(f"{url}/v1/me/notifications/events", headers=bearer(school.tutor))
            assert (response.status_code, response.headers["content-type"]) == (200, "text/event-stream; charset=utf-8")
        # The same connection goes on.
        assert client.get(f"{url}/healthz").status_code == 200
        wait_for(lambda: len(api.state.inbox_subscriptions) == 0)


def test_another_kind_of_body_is_415(school: School, client: TestClient, bearer: Bearer) -> None:
    headers = bearer(school.tutor) | {"Content-Type": "text/plain"}
    response = client.post("/v1/bookings", content=b'{"student_id": 22}', headers=headers)
    assert (response.status_code, response.json()["code"]) == (415, "unsupported-media-type")
    assert response.headers["accept"] == "application/json"
