"""Messages in the app: the list, reading them, and following them on a real server."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from sqlalchemy import event, text
from starlette.testclient import TestClient

from tests.api.conftest import Bearer, ClientFor, EventStream, Serve, Stream
from tests.conftest import School
from tests.waiting import wait_for
from worker.access.callers import Operator, UserCaller
from worker.database import Database

LIST = "/v1/me/notifications"


Notify = Callable[..., int]
Follow = Callable[..., EventStream]


@pytest.fixture
def notify(database: Database) -> Notify:
    """`notify(user, title)`: stores a message for a person; returns its id."""

    def insert(user: UserCaller, title: str, *, age: int = 0) -> int:
        with database.transaction() as session:
            result = session.execute(
                text(
                    "INSERT INTO notifications (user_id, kind, title, message, data, created_at)"
                    " VALUES (:user_id, 'test', :title, 'Selam', '{\"schedule_id\": 7}',"
                    " now() - make_interval(secs => :age)) RETURNING id"
                ),
                {"user_id": user.user_id, "title": title, "age": age},
            )
            return int(result.scalar_one())

    return insert


@pytest.fixture
def follow(stream: Stream) -> Follow:
    """`with follow(url, headers, last) as (answer, events)`; `last`: the id of the last event that was seen."""

    def following(url: str, headers: dict[str, str], last: object = None) -> EventStream:
        return stream(f"{url}{LIST}/events", headers if last is None else headers | {"Last-Event-ID": str(last)})

    return following


def _titles(events: Iterator[dict[str, Any]], count: int) -> list[str]:
    """The titles of the next messages."""
    titles: list[str] = []
    while len(titles) < count:
        entry = next(events)
        if entry["event"] == "notification":
            assert entry["id"] == str(entry["data"]["id"])
            titles.append(entry["data"]["title"])
    return titles


def _unread(events: Iterator[dict[str, Any]], count: int) -> None:
    """Wait until the stream says so."""
    while (entry := next(events))["event"] != "unread" or entry["data"] != {"unread": count}:
        pass


class TestList:
    """`GET /v1/me/notifications` and marking as read."""

    def test_newest_first_in_pages_with_the_unread_count(
        self, school: School, client_for: ClientFor, notify: Notify
    ) -> None:
        ids = [notify(school.tutor, f"number {number}") for number in range(5)]
        notify(school.student, "somebody else's")
        tutor = client_for(school.tutor)

        status, first = tutor.ask("GET", f"{LIST}?limit=2")
        assert (status, [item["id"] for item in first["items"]], first["unread"]) == (200, ids[:2:-1], 5)
        assert set(first) == {"items", "next", "unread"}
        newest = first["items"][0]
        assert newest.pop("created_at").endswith("Z")
        assert newest == {
            "id": ids[4],
            "kind": "test",
            "title": "number 4",
            "message": "Selam",
            "data": {"schedule_id": 7},
            "read_at": None,
        }
        _, second = tutor.ask("GET", f"{LIST}?limit=2&cursor={first['next']}")
        _, third = tutor.ask("GET", f"{LIST}?limit=2&cursor={second['next']}")
        assert [[item["id"] for item in page["items"]] for page in (second, third)] == [ids[2:0:-1], ids[:1]]
        assert third["next"] is None
        assert tutor.ask("GET", f"{LIST}?cursor=nonsense")[0] == 422

    def test_one_is_read(self, school: School, client_for: ClientFor, notify: Notify) -> None:
        first, second = notify(school.tutor, "first"), notify(school.tutor, "second")
        tutor = client_for(school.tutor)

        status, read = tutor.ask("POST", f"{LIST}/{first}/read")
        assert (status, read["id"]) == (200, first)
        assert read["read_at"] is not None
        assert tutor.ask("POST", f"{LIST}/{first}/read") == (200, read)
        _, unread = tutor.ask("GET", f"{LIST}?unread=true")
        assert ([item["id"] for item in unread["items"]], unread["unread"]) == ([second], 1)
        _, everything = tutor.ask("GET", f"{LIST}?unread=false")
        assert [item["id"] for item in everything["items"]] == [second, first]

    def test_all_are_read(self, school: School, client_for: ClientFor, notify: Notify) -> None:
        notify(school.tutor, "first")
        notify(school.tutor, "second")
        notify(school.student, "theirs")

        assert client_for(school.tutor).ask("POST", f"{LIST}/read") == (200, {"unread": 0})
        assert client_for(school.tutor).ask("POST", f"{LIST}/read") == (200, {"unread": 0})
        assert client_for(school.tutor).ask("GET", f"{LIST}?unread=true")[1] == {"items": [], "next": None, "unread": 0}
        assert client_for(school.student).ask("GET", LIST)[1]["unread"] == 1

    def test_nobody_elses(
        self, school: School, client_for: ClientFor, notify: Notify, client: TestClient, operator: Operator
    ) -> None:
        theirs = notify(school.student, "theirs")

        for path in (f"{LIST}/{theirs}/read", f"{LIST}/2147483647/read"):
            assert client_for(school.tutor).ask("POST", path)[0] == 404
        assert client_for(school.tutor).ask("POST", f"{LIST}/0/read")[0] == 404
        assert client_for(school.student).ask("GET", LIST)[1]["unread"] == 1
        for path in (LIST, f"{LIST}/events"):
            assert client.get(path).status_code == 401
            assert client_for(operator).ask("GET", path)[0] == 403
        assert client_for(operator).ask("POST", f"{LIST}/read")[0] == 403


class TestEvents:
    """`GET /v1/me/notifications/events`."""

    @pytest.fixture
    def url(self, api: FastAPI, serve: Serve) -> Iterator[str]:
        with serve(api) as url:
            yield url

    def test_a_message_appears_by_itself(
        self, school: School, api: FastAPI, url: str, bearer: Bearer, notify: Notify, follow: Follow
    ) -> None:
        old = notify(school.tutor, "there before", age=3600)
        with follow(url, bearer(school.tutor)) as (response, events):
            assert response.headers["content-type"].startswith("text/event-stream")
            assert response.headers.get_list("cache-control") == ["no-store"]
            assert next(events) == {"event": "unread", "data": {"unread": 1}, "id": str(old), "retry": "3000"}
            notify(school.student, "somebody else's")
            new = notify(school.tutor, "ሰላም")
            notification = next(events)
            assert (notification["event"], notification["id"]) == ("notification", str(new))
            with httpx2.Client(trust_env=False, headers=bearer(school.tutor)) as client:
                assert notification["data"] == client.get(f"{url}{LIST}").json()["items"][0]
                assert next(events) == {"event": "unread", "data": {"unread": 2}}
                # Read in another window.
                client.post(f"{url}{LIST}/read")
            assert next(events) == {"event": "unread", "data": {"unread": 0}}
        wait_for(lambda: len(api.state.inbox_subscriptions) == 0)
        wait_for(lambda: not api.state.inbox_subscriptions.polling)

    def test_who_comes_back_gets_what_came_meanwhile(
        self, school: School, url: str, bearer: Bearer, notify: Notify, follow: Follow
    ) -> None:
        headers = bearer(school.tutor)
        with follow(url, headers) as (_, events):
            first = next(events)
            assert (first["data"], first["id"]) == ({"unread": 0}, "0")
        notify(school.tutor, "a")
        with follow(url, headers, first["id"]) as (_, events):
            _unread(events, 1)
            assert _titles(events, 1) == ["a"]
        last = notify(school.tutor, "b")
        notify(school.tutor, "c", age=60)
        notify(school.tutor, "d")
        with follow(url, headers, last) as (_, events):
            assert _titles(events, 2) == ["c", "d"]
            notify(school.tutor, "e")
            assert _titles(events, 1) == ["e"]
        for nonsense in ("x", "-1", "9" * 40):
            with follow(url, headers, nonsense) as (_, events):
                _unread(events, 5)
                notify(school.tutor, f"after {nonsense[0]}")
                assert _titles(events, 1) == [f"after {nonsense[0]}"]
            with httpx2.Client(trust_env=False, headers=headers) as client:
                client.post(f"{url}{LIST}/{notify(school.tutor, 'x')}/read")
                newest = client.get(f"{url}{LIST}?unread=true").json()["items"][0]["id"]
                client.post(f"{url}{LIST}/{newest}/read")

    def test_more_than_fits_into_one_look(
        self, school: School, url: str, bearer: Bearer, database: Database, follow: Follow
    ) -> None:
        many = text(
            "INSERT INTO notifications (user_id, kind, title, message, created_at)"
            " SELECT 1, 'test', n, 'x', now() - interval '1 hour' FROM generate_series(1, 250) AS n"
        )
        with database.transaction() as session:
            session.execute(many)
        with follow(url, bearer(school.tutor), 0) as (_, events):
            assert next(events)["data"] == {"unread": 250}
            assert _titles(events, 250) == [str(number) for number in range(1, 251)]

    def test_many_streams_are_two_queries_a_second(
        self,
        school: School,
        api: FastAPI,
        url: str,
        bearer: Bearer,
        notify: Notify,
        database: Database,
        follow: Follow,
    ) -> None:
        people = [school.tutor, school.student, school.parent]
        statements: list[str] = []
        with ExitStack() as streams:
            followed = [
                (person, streams.enter_context(follow(url, bearer(person)))[1]) for person in people for _ in range(5)
            ]
            for _, events in followed:
                next(events)
            event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
            time.sleep(2.5)
            assert 1 <= len([statement for statement in statements if "LATERAL" in statement]) <= 3
            assert len([statement for statement in statements if "notifications" in statement]) <= 6
            for person in people:
                notify(person, person.role)
            assert [_titles(events, 1) for _, events in followed] == [[person.role] for person, _ in followed]
        wait_for(lambda: len(api.state.inbox_subscriptions) == 0)

    def test_one_caller_has_a_bounded_number_of_streams(
        self, school: School, url: str, bearer: Bearer, follow: Follow
    ) -> None:
        with ExitStack() as streams:
            # Referenced: a stream without a reference is closed.
            followed = [streams.enter_context(follow(url, bearer(school.tutor)))[1] for _ in range(20)]
            for events in followed:
                next(events)
            with follow(url, bearer(school.tutor)) as (response, _):
                assert response.status_code == 429
            with follow(url, bearer(school.student)) as (response, _):
                assert response.status_code == 200
