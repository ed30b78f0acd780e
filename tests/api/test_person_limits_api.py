"""Limits per person: sessions, bookings, messages, jobs, uploads, streams."""

import asyncio
import socket
from collections.abc import Callable, Collection, Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from fastapi import FastAPI
from sqlalchemy.orm import Session
from starlette.testclient import TestClient

from tests.api.conftest import Bearer, ClientFor, Serve
from tests.conftest import School, Sql
from tests.waiting import TIMEOUT, wait_for
from worker.access.callers import UserCaller
from worker.api.http.polling_streams import Publish, Subscriptions
from worker.api.http.subscription import Subscription
from worker.api.services import Services
from worker.errors import TooManyRequests, Unavailable
from worker.limits.lease_rows import Bound
from worker.uploads.open_uploads import OpenUploads


def _assert_too_many(response: Any, limit: str) -> None:
    assert response.status_code == 429, response.text
    assert response.json()["code"] == "too-many-requests"
    assert response.json()["limit"] == limit
    assert int(response.headers["retry-after"]) >= 1


@pytest.mark.parametrize("limits", [{"limit_whiteboard_sessions_per_day": 2}])
def test_whiteboard_sessions_of_a_day(school: School, client_for: ClientFor, sql: Sql) -> None:
    tutor = client_for(school.tutor)
    body, key = {"booking_id": school.booking_id}, {"headers": {"Idempotency-Key": "k"}}
    # A repeat, and what is refused for another reason, count nothing.
    for _ in range(3):
        assert tutor.send("POST", "/v1/whiteboard/sessions", body, **dict(key)).status_code == 201
        assert tutor.send("POST", "/v1/whiteboard/sessions", {"booking_id": 999}).status_code == 404
    assert tutor.send("POST", "/v1/whiteboard/sessions", body).status_code == 201
    _assert_too_many(tutor.send("POST", "/v1/whiteboard/sessions", body), "whiteboard-sessions")
    assert sql("SELECT count(*) AS n FROM whiteboard_sessions")[0].n == 2


@pytest.mark.parametrize("limits", [{"limit_bookings_per_day": 1}])
def test_bookings_of_a_day(school: School, client_for: ClientFor, sql: Sql) -> None:
    tutor = client_for(school.tutor)
    assert tutor.send("POST", "/v1/bookings", {"student_id": 25}).status_code == 201
    _assert_too_many(tutor.send("POST", "/v1/bookings", {"student_id": 25}), "bookings")
    assert client_for(school.other_tutor).send("POST", "/v1/bookings", {"student_id": 22}).status_code == 201


@pytest.fixture
def lessons(school: School, client_for: ClientFor) -> list[int]:
    """Three lessons of the tutor's booking, far ahead."""
    body = {"booking_id": school.booking_id, "start_time": "15:00", "end_time": "16:00"}
    return [
        client_for(school.tutor).ask("POST", "/v1/schedules", body | {"schedule_date": f"2099-01-0{day}"})[1][
            "schedule_id"
        ]
        for day in (1, 2, 3)
    ]


@pytest.mark.parametrize("limits", [{"limit_messages_per_day": 2}])
def test_messages_of_a_day(school: School, client_for: ClientFor, lessons: list[int], sql: Sql) -> None:
    tutor = client_for(school.tutor)
    responses = [tutor.send("POST", f"/v1/schedules/{lesson}/cancel", {}) for lesson in lessons]
    assert responses[0].status_code == 200
    _assert_too_many(responses[-1], "messages")
    # What was refused is not done.
    states = {row.id: row.status for row in sql("SELECT id, status FROM tutor_schedules")}
    assert states[lessons[0]] == "cancelled"
    assert states[lessons[-1]] != "cancelled"


@pytest.fixture
def pages(school: School, client_for: ClientFor) -> list[int]:
    tutor = client_for(school.tutor)
    board_session = tutor.ask("POST", "/v1/whiteboard/sessions", {"booking_id": school.booking_id})[1]
    address = f"/v1/whiteboard/sessions/{board_session['id']}/pages"
    return [board_session["pages"][0]["id"], *(tutor.ask("POST", address, {})[1]["id"] for _ in range(2))]


@pytest.mark.parametrize("limits", [{"limit_live_snapshots": 2}])
def test_live_jobs_of_a_kind(school: School, client_for: ClientFor, pages: list[int], sql: Sql) -> None:
    tutor = client_for(school.tutor)

    def order(page_id: int) -> Any:
        return tutor.send("POST", f"/v1/whiteboard/pages/{page_id}/snapshot")

    jobs = [order(page_id).json()["job_id"] for page_id in pages[:2]]
    _assert_too_many(order(pages[2]), "live-jobs")
    # The same again is the same job; another person, and another kind, have room of their own.
    assert order(pages[0]).json()["job_id"] == jobs[0]
    assert client_for(school.student).send("POST", f"/v1/whiteboard/pages/{pages[2]}/snapshot").status_code == 202
    sql("UPDATE jobs SET state = 'failed', finished_at = now() WHERE id = CAST(:id AS uuid)", id=jobs[0])
    assert order(pages[2]).status_code == 202
    _assert_too_many(tutor.send("POST", f"/v1/jobs/{jobs[0]}/retry"), "live-jobs")


@pytest.fixture
def session_id(school: School, client_for: ClientFor) -> int:
    board_session = client_for(school.tutor).ask("POST", "/v1/whiteboard/sessions", {"booking_id": school.booking_id})[
        1
    ]
    return int(board_session["id"])


def _upload(client: TestClient, headers: dict[str, str], session_id: int, content: bytes) -> Any:
    fields = {"session_id": str(session_id), "type": "board"}
    return client.post("/v1/recordings", data=fields, files={"file": ("a.webm", content)}, headers=headers)


@pytest.mark.parametrize("limits", [{"limit_upload_bytes_per_day": 50_000}])
def test_upload_bytes_of_a_day(school: School, client: TestClient, bearer: Bearer, session_id: int) -> None:
    headers = bearer(school.tutor)
    assert _upload(client, headers, session_id, b"a" * 30_000).status_code == 202
    _assert_too_many(_upload(client, headers, session_id, b"b" * 30_000), "upload-bytes")
    assert _upload(client, headers, session_id, b"c" * 10_000).status_code == 202
    assert _upload(client, bearer(school.other_tutor), session_id, b"b" * 30_000).status_code == 404


@pytest.mark.parametrize("limits", [{"limit_live_ingests": 1}])
def test_recordings_that_wait(
    school: School, client: TestClient, bearer: Bearer, session_id: int, tmp_path: Any
) -> None:
    headers = bearer(school.tutor)
    assert _upload(client, headers, session_id, b"a" * 1000).status_code == 202
    _assert_too_many(_upload(client, headers, session_id, b"b" * 1000), "live-jobs")
    assert len([path for path in (tmp_path / "spool").iterdir() if path.is_file()]) == 1


@pytest.fixture
def half_uploads(school: School, api: FastAPI, serve: Serve, bearer: Bearer) -> Iterator[Callable[[], socket.socket]]:
    """`half_uploads()`: an upload of the tutor's of which half has come."""
    with serve(api) as url, ExitStack() as opened:
        host, port = url.removeprefix("http://").split(":")

        def open_one() -> socket.socket:
            connection = opened.enter_context(socket.create_connection((host, int(port)), timeout=TIMEOUT))
            connection.sendall(
                f"POST /v1/recordings HTTP/1.1\r\nHost: a\r\nAuthorization: {bearer(school.tutor)['Authorization']}\r\n"
                "Content-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000\r\n"
                "Expect: 100-continue\r\n\r\n".encode()
            )
            return connection

        yield open_one


@pytest.mark.parametrize("limits", [{"limit_open_uploads": 2}])
def test_open_uploads(half_uploads: Callable[[], socket.socket], services: Services) -> None:
    # The application asks for it in every request, so this one is it.
    vars(services)["open_uploads"] = OpenUploads(services.leases, 2, 0, timeout=0.2)
    first = half_uploads()
    # The server asks for the body: the upload is open.
    assert first.recv(100).startswith(b"HTTP/1.1 100")
    assert half_uploads().recv(100).startswith(b"HTTP/1.1 100")
    refused = half_uploads().recv(65_536)
    assert refused.startswith(b"HTTP/1.1 429")
    first.close()
    wait_for(lambda: half_uploads().recv(100).startswith(b"HTTP/1.1 100"))


async def _is_refused(uploads: OpenUploads, principal: str, size: int) -> bool:
    try:
        async with uploads.hold(principal, size):
            return False
    except TooManyRequests:
        return True


def test_bytes_of_open_uploads(services: Services, client: TestClient) -> None:
    async def hold() -> None:
        uploads = OpenUploads(services.leases, 0, 100, timeout=0.01)
        async with uploads.hold("user:1", 1000):
            # Alone, an upload may have what a recording may have.
            assert await _is_refused(uploads, "user:1", 1)
            async with uploads.hold("user:2", 60), uploads.hold("user:2", 40):
                assert await _is_refused(uploads, "user:2", 1)
        async with uploads.hold("user:1", 60):
            assert not await _is_refused(uploads, "user:1", 40)

    assert client.portal is not None
    client.portal.call(hold)


def test_one_upload_too_many_waits_for_the_others(services: Services, client: TestClient) -> None:
    """Fifty concurrent uploads of a person who may have two all get through, at most two at a time."""

    async def upload(uploads: OpenUploads, counts: list[int]) -> None:
        async with uploads.hold("user:1", 1):
            counts.append(counts[-1] + 1)
            await asyncio.sleep(0)
            counts.append(counts[-1] - 1)

    async def crowd() -> None:
        uploads, counts = OpenUploads(services.leases, 2, 0, timeout=600), [0]
        await asyncio.gather(*(upload(uploads, counts) for _ in range(50)))
        assert len(counts) == 101
        assert max(counts) <= 2

    assert client.portal is not None
    client.portal.call(crowd)


async def _subscribed(
    services: Services, counts: list[int], most: int
) -> tuple[Subscriptions[Subscription], list[Subscription]]:
    def read(_session: Session, _subscriptions: Collection[Subscription]) -> Publish:
        return lambda: None

    subscriptions = Subscriptions(services.database, read, services.leases, Bound("streams", 20), most=most)
    open_streams = [
        Subscription(UserCaller(user_id)) for user_id, count in enumerate(counts, start=1) for _ in range(count)
    ]
    for subscription in open_streams:
        await subscriptions.add(subscription)
    return subscriptions, open_streams


def test_fifty_people_cannot_take_every_stream(services: Services, client: TestClient) -> None:
    async def fill() -> None:
        subscriptions, open_streams = await _subscribed(services, [20] * 5, most=100)
        newcomer = Subscription(UserCaller(99))
        await subscriptions.add(newcomer)
        assert len(subscriptions) == 100
        assert [subscription.ended for subscription in open_streams] == [True] + [False] * 99
        assert not newcomer.ended
        await subscriptions.close()

    assert client.portal is not None
    client.portal.call(fill)


def test_when_all_have_one_stream_the_next_waits(services: Services, client: TestClient) -> None:
    async def fill() -> None:
        subscriptions, open_streams = await _subscribed(services, [1] * 10, most=10)
        with pytest.raises(Unavailable):
            await subscriptions.add(Subscription(UserCaller(99)))
        assert not any(subscription.ended for subscription in open_streams)
        await subscriptions.close()

    assert client.portal is not None
    client.portal.call(fill)
