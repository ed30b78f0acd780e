"""A browser's `EventSource` sends no token: a ticket in the address opens one stream."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import pytest
from fastapi import FastAPI

from tests.api.conftest import Bearer, Serve, Stream
from tests.conftest import School, Sql
from worker.access.callers import Operator
from worker.access.issue_token import issue_token
from worker.api.services import Services
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording


@dataclass
class Server:
    """A server, and a job of the tutor's that waits."""

    url: str
    job_id: str

    def path(self, what: str) -> str:
        return f"/v1/jobs/{self.job_id}/events" if what == "job" else "/v1/me/notifications/events"


@pytest.fixture
def server(school: School, api: FastAPI, serve: Serve, database: Database) -> Iterator[Server]:
    with database.transaction() as session:
        order = IngestRecording(12, session_id=1, spool_id="shared", size_bytes=1)
        job_id = enqueue(session, order, principal="user:1")
    with serve(api) as url:
        yield Server(url, str(job_id))


def ticket(server: Server, what: str, headers: dict[str, str]) -> dict[str, Any]:
    response = httpx2.post(f"{server.url}{server.path(what)}/ticket", headers=headers)
    assert response.status_code == 201, response.text
    document: dict[str, Any] = response.json()
    return document


@pytest.mark.parametrize("what", ["job", "inbox"])
def test_the_address_opens_the_stream_without_a_header(
    school: School, server: Server, bearer: Bearer, stream: Stream, what: str
) -> None:
    stream_ticket = ticket(server, what, bearer(school.tutor))
    assert urlsplit(stream_ticket["url"]).path == server.path(what)
    with stream(stream_ticket["url"], {}) as (response, events):
        assert response.status_code == 200
        assert next(events)["event"] == {"job": "job", "inbox": "unread"}[what]


@pytest.mark.parametrize("what", ["job", "inbox"])
def test_the_stream_ends_with_the_token_it_was_asked_for(
    services: Services, server: Server, stream: Stream, what: str
) -> None:
    token = issue_token(services.settings.signing_key, sub=1, role_ids={"tutor": 11}, expires_in=3)
    with stream(ticket(server, what, {"Authorization": f"Bearer {token}"})["url"], {}) as (_answer, events):
        assert len(list(events)) == 1


def test_an_account_that_is_closed_meanwhile_is_refused(
    school: School, server: Server, bearer: Bearer, sql: Sql
) -> None:
    url = ticket(server, "job", bearer(school.tutor))["url"]
    sql("UPDATE users SET is_active = false WHERE id = 1")
    assert httpx2.get(url).status_code == 401


def test_it_opens_nothing_else(school: School, server: Server, bearer: Bearer) -> None:
    query = urlsplit(ticket(server, "job", bearer(school.tutor))["url"]).query
    for path in (f"/v1/jobs/{server.job_id}", "/v1/me/notifications/events", "/v1/recordings", "/v1/jobs"):
        assert httpx2.get(f"{server.url}{path}?{query}").status_code == 401
    assert httpx2.post(f"{server.url}{server.path('job')}/ticket?{query}").status_code == 401


def test_who_may_not_follow_gets_no_ticket(school: School, server: Server, bearer: Bearer) -> None:
    path = f"{server.url}{server.path('job')}/ticket"
    assert httpx2.post(path, headers=bearer(school.student)).status_code == 404
    assert httpx2.post(path).status_code == 401


def test_what_an_operator_opens_is_kept_without_the_ticket(
    server: Server, bearer: Bearer, operator: Operator, stream: Stream, sql: Sql
) -> None:
    with stream(ticket(server, "job", bearer(operator))["url"], {}) as (response, events):
        assert response.status_code == 200
        next(events)
    looks = sql("SELECT action, address FROM operator_accesses ORDER BY id")
    assert [tuple(look) for look in looks][-1] == ("GET /v1/jobs/{job_id}/events", server.path("job"))
