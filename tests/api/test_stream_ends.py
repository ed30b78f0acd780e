"""An event stream ends when its caller loses access."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI

from tests.api.conftest import Bearer, Serve, Stream
from tests.conftest import Platform, School, Sql
from tests.waiting import wait_for
from worker.access.callers import Operator, UserCaller
from worker.access.issue_token import issue_operator_token, issue_token
from worker.api.services import Services
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording
from worker.platform.people import PlatformPeople


@dataclass
class Streams:
    """A server, and a job of the tutor's that waits."""

    url: str
    job_id: str
    open: Callable[[str, dict[str, str]], Any]

    @contextmanager
    def following(self, what: str, headers: dict[str, str]) -> Iterator[Iterator[dict[str, Any]]]:
        path = f"/v1/jobs/{self.job_id}/events" if what == "job" else "/v1/me/notifications/events"
        with self.open(self.url + path, headers) as (response, events):
            assert response.status_code == 200
            next(events)
            yield events


@pytest.fixture
def streams(school: School, api: FastAPI, serve: Serve, stream: Stream, database: Database) -> Iterator[Streams]:
    with database.transaction() as session:
        order = IngestRecording(12, session_id=1, spool_id="shared", size_bytes=1)
        job_id = enqueue(session, order, principal="user:1")
    with serve(api) as url:
        yield Streams(url, str(job_id), stream)


STREAMS = ("job", "inbox")


@pytest.mark.parametrize("what", STREAMS)
def test_when_the_token_expires(services: Services, streams: Streams, api: FastAPI, what: str) -> None:
    token = issue_token(services.settings.signing_key, sub=1, role_ids={"tutor": 11}, expires_in=2)
    with streams.following(what, {"Authorization": f"Bearer {token}"}) as events:
        assert list(events) == []
    wait_for(lambda: len(api.state.subscriptions) == len(api.state.inbox_subscriptions) == 0)


def test_when_an_operator_s_token_expires(services: Services, streams: Streams) -> None:
    departments = services.settings.operator_departments
    token = issue_operator_token(services.settings.signing_key, admin_id=3, departments=departments, expires_in=2)
    with streams.following("job", {"Authorization": f"Bearer {token}"}) as events:
        assert list(events) == []


@pytest.mark.parametrize("what", STREAMS)
@pytest.mark.parametrize(
    "cause",
    [
        "UPDATE users SET is_active = false WHERE id = 1",
        "UPDATE tutor_profiles SET is_active = false WHERE id = 11",
        "UPDATE tutor_profiles SET user_id = 2 WHERE id = 11",
    ],
)
def test_when_the_account_or_profile_is_not_active_any_more(
    school: School, streams: Streams, bearer: Bearer, sql: Sql, what: str, cause: str
) -> None:
    other = "UPDATE users SET is_active = false WHERE id = 6"
    with streams.following(what, bearer(school.tutor)) as events:
        sql(other)
        sql(cause)
        assert list(events) == []


def test_when_the_account_is_suspended_on_the_platform(
    platform_people: PlatformPeople,
    platform: Platform,
    services: Services,
    api: FastAPI,
    serve: Serve,
    stream: Stream,
    bearer: Bearer,
    sql: Sql,
) -> None:
    services.context.platform_people = platform_people
    suspended, other = UserCaller(14, "student", student_id=12), UserCaller(11, "tutor", tutor_id=14)
    path = "/v1/me/notifications/events"
    with serve(api) as url, stream(url + path, bearer(other)) as (_, events):
        next(events)
        with stream(url + path, bearer(suspended)) as (_, ended):
            next(ended)
            platform.owner.execute("UPDATE users SET is_suspended = true WHERE id = 14")
            # As if they had come in a minute ago: a token would be looked up again.
            sql("UPDATE users SET platform_read_at = now() - interval '61 seconds'")
            assert list(ended) == []
        sql("INSERT INTO notifications (user_id, kind, title, message) VALUES (11, 'test', 'x', 'It goes on.')")
        assert next(events)["data"]["message"] == "It goes on."


def test_when_the_job_is_another_s(school: School, streams: Streams, bearer: Bearer, sql: Sql) -> None:
    with streams.following("job", bearer(school.tutor)) as events:
        sql("UPDATE jobs SET principal = 'user:4'")
        assert list(events) == []


def test_an_operator_follows_whosever_job_it_is(streams: Streams, bearer: Bearer, operator: Operator, sql: Sql) -> None:
    with streams.following("job", bearer(operator)) as events:
        sql("UPDATE jobs SET principal = 'user:4'")
        sql("UPDATE jobs SET progress_note = 'copying', progress_seq = progress_seq + 1")
        assert next(events)["data"]["progress_note"] == "copying"


def test_who_is_still_active_is_told_on(school: School, streams: Streams, bearer: Bearer, sql: Sql) -> None:
    """While the streams of another end."""
    with (
        streams.following("inbox", bearer(school.student)) as ended,
        streams.following("inbox", bearer(school.tutor)) as events,
    ):
        sql("UPDATE users SET is_active = false WHERE id = 2")
        assert list(ended) == []
        sql("INSERT INTO notifications (user_id, kind, title, message) VALUES (1, 'test', 'x', 'It goes on.')")
        assert next(events)["data"]["message"] == "It goes on."


def test_the_expiry_is_not_part_of_who_somebody_is() -> None:
    assert UserCaller(1, expires_at=5) == UserCaller(1, expires_at=7)
    assert hash(Operator(3, frozenset(), 5)) == hash(Operator(3, frozenset()))


def test_who_may_read_a_job_may_follow_it_and_nobody_else(
    school: School, streams: Streams, bearer: Bearer, operator: Operator
) -> None:
    """By its address, its stream, a ticket of it, and in the list."""
    people = (school.tutor, school.student, school.parent, school.other_tutor, school.other_parent, operator)
    path = f"/v1/jobs/{streams.job_id}"
    read = {}
    with httpx2.Client(base_url=streams.url, trust_env=False) as client:
        for caller in people:
            headers = bearer(caller)
            read[caller] = client.get(path, headers=headers).status_code
            listed = [item["id"] for item in client.get("/v1/jobs", headers=headers).json()["items"]]
            assert (streams.job_id in listed) == (read[caller] == 200)
            ticket = client.post(f"{path}/events/ticket", headers=headers)
            assert ticket.status_code == (201 if read[caller] == 200 else 404)
            with streams.open(f"{streams.url}{path}/events", headers) as (response, _events):
                assert response.status_code == read[caller]
    assert [caller for caller in people if read[caller] == 200] == [school.tutor, operator]
