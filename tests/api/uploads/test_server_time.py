"""`/v1/time`: a clock for pages, without a token."""

from datetime import datetime

from starlette.testclient import TestClient

from worker import clock


def test_the_servers_clock(client: TestClient) -> None:
    before = clock.now()
    response = client.get("/v1/time")

    assert before <= datetime.fromisoformat(response.json()["now"]) <= clock.now()
    assert response.headers["Cache-Control"] == "no-store"
