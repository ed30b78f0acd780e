"""The event stream of a job, on a real server."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from uuid import UUID

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import event, text

from tests.api.conftest import Bearer, EventStream, Serve, Stream
from tests.conftest import School
from tests.waiting import wait_for
from worker.database import Database
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.runs.claim import claim
from worker.jobs.runs.run_statements import end, heartbeat


class Work:
    """A job as its worker moves it on."""

    def __init__(self, database: Database, recording_id: int, principal: str) -> None:
        self._database = database
        with database.transaction() as session:
            order = IngestRecording(recording_id, session_id=1, spool_id="shared", size_bytes=1)
            self.id: UUID = enqueue(session, order, principal=principal)

    def begin(self) -> None:
        with self._database.transaction() as session:
            claimed = claim(session, self.id, worker="w1", lease=30)
            assert claimed is not None
            self._claim = claimed

    def progress(self, percent: int, note: str) -> None:
        with self._database.transaction() as session:
            heartbeat(session, self._claim, lease=30, progress=percent, note=note)

    def succeed(self) -> None:
        with self._database.transaction() as session:
            end(session, self.id, self._claim.token, state="succeeded", result={"recording_id": 12})


MakeWork = Callable[..., Work]
Follow = Callable[[str, UUID, dict[str, str]], EventStream]


@pytest.fixture
def work(database: Database) -> MakeWork:
    return lambda recording_id=12, principal="user:1": Work(database, recording_id, principal)


@pytest.fixture
def follow(stream: Stream) -> Follow:
    """`with follow(url, job_id, headers) as (answer, events)`."""
    return lambda url, job_id, headers: stream(f"{url}/v1/jobs/{job_id}/events", headers)


def test_a_job_is_followed_to_its_end(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer, work: MakeWork, follow: Follow
) -> None:
    job = work()
    with serve(api) as url, follow(url, job.id, bearer(school.tutor)) as (response, events):
        assert response.status_code == 200
        assert response.headers["content-type"].startswith("text/event-stream")
        assert response.headers.get_list("cache-control") == ["no-store"]
        assert response.headers["x-accel-buffering"] == "no"
        first = next(events)
        assert (first["event"], first["retry"], first["data"]["state"]) == ("job", "3000", "queued")
        job.begin()
        running = next(events)
        assert (running["data"]["state"], running["data"]["attempt"]) == ("running", 1)
        job.progress(40, "copying streams")
        halfway = next(events)
        assert (halfway["data"]["progress"], halfway["data"]["progress_note"]) == (40, "copying streams")
        job.succeed()
        last = next(events)
        assert (last["data"]["state"], last["data"]["progress"]) == ("succeeded", 100)
        assert int(first["id"]) < int(running["id"]) < int(halfway["id"]) < int(last["id"])
        assert list(events) == []
        with httpx2.Client(trust_env=False) as client:
            plain = client.get(f"{url}/v1/jobs/{job.id}", headers=bearer(school.tutor)).json()
        assert {key: value for key, value in plain.items() if key != "attempts"} == last["data"]
        wait_for(lambda: len(api.state.subscriptions) == 0 and not api.state.subscriptions.polling)


def test_who_comes_back_gets_the_present_and_nothing_twice(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer, work: MakeWork, follow: Follow
) -> None:
    job = work()
    headers = bearer(school.tutor)
    with serve(api) as url:
        with follow(url, job.id, headers) as (_, events):
            last_event_id = next(events)["id"]
        with follow(url, job.id, headers | {"Last-Event-ID": last_event_id}) as (_, events):
            assert next(events) == {"retry": "3000"}
            job.begin()
            running = next(events)
            assert running["data"]["state"] == "running"
        job.progress(10, "a")
        job.progress(20, "b")
        with follow(url, job.id, headers | {"Last-Event-ID": running["id"]}) as (_, events):
            assert next(events)["data"]["progress_note"] == "b"
        job.succeed()
        with follow(url, job.id, headers | {"Last-Event-ID": running["id"]}) as (_, events):
            (last,) = list(events)
            assert last["data"]["state"] == "succeeded"
        with follow(url, job.id, headers | {"Last-Event-ID": last["id"]}) as (response, _):
            # A browser would come back to an ended stream for ever; 204 tells it not to.
            assert response.status_code == 204


def test_many_streams_are_one_query_a_second(
    school: School,
    api: FastAPI,
    serve: Serve,
    bearer: Bearer,
    work: MakeWork,
    database: Database,
    follow: Follow,
) -> None:
    jobs = [work(number) for number in range(15)]
    statements: list[str] = []
    with serve(api) as url:
        with ExitStack() as streams:
            followed = [streams.enter_context(follow(url, job.id, bearer(school.tutor)))[1] for job in jobs]
            for events in followed:
                next(events)
            event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
            time.sleep(2.5)
            polls = [statement for statement in statements if "FROM jobs" in statement]
            assert 1 <= len(polls) <= 3
            for job in jobs:
                job.begin()
            assert [next(events)["data"]["state"] for events in followed] == ["running"] * 15
            assert api.state.subscriptions.polling
        wait_for(lambda: len(api.state.subscriptions) == 0)
        wait_for(lambda: not api.state.subscriptions.polling)


def test_one_caller_has_a_bounded_number_of_streams(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer, work: MakeWork, follow: Follow
) -> None:
    job, theirs = work(), work(13, "user:2")
    with serve(api) as url:
        with ExitStack() as streams:
            # Referenced: a stream without a reference is closed.
            followed = [streams.enter_context(follow(url, job.id, bearer(school.tutor))) for _ in range(20)]
            for _, events in followed:
                next(events)
            with follow(url, job.id, bearer(school.tutor)) as (response, _):
                assert response.status_code == 429
                assert response.headers["content-type"] == "application/problem+json"
                assert response.headers["retry-after"] == "30"
            with follow(url, theirs.id, bearer(school.student)) as (_, events):
                next(events)
        wait_for(lambda: len(api.state.subscriptions) == 0)
        with follow(url, job.id, bearer(school.tutor)) as (_, events):
            next(events)


def test_a_job_that_is_pruned_ends_its_stream(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer, work: MakeWork, database: Database, follow: Follow
) -> None:
    job = work()
    with serve(api) as url, follow(url, job.id, bearer(school.tutor)) as (_, events):
        next(events)
        with database.transaction() as session:
            session.execute(text("DELETE FROM jobs"))
        assert list(events) == []


def test_an_open_stream_does_not_hold_up_a_shutdown_for_long(
    school: School, api: FastAPI, serve: Serve, bearer: Bearer, work: MakeWork, follow: Follow
) -> None:
    job = work()
    with ExitStack() as streams:
        with serve(api) as url:
            _, events = streams.enter_context(follow(url, job.id, bearer(school.tutor)))
            next(events)
        # Two seconds of grace, then the server ends its streams.
        assert len(api.state.subscriptions) == 0
        with pytest.raises(httpx2.RemoteProtocolError):
            next(events)
