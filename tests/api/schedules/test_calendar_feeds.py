"""The calendar's address as people make it and as calendars read it, and that its secret is kept."""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from email.utils import format_datetime, parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx2
import icalendar
import pytest
import recurring_ical_events
from fastapi import FastAPI
from sqlalchemy import text, update
from starlette.testclient import TestClient

from models.people import User as Person
from models.schedules import Schedule, ScheduleParticipant
from tests.api.conftest import Bearer, ClientFor, Serve
from tests.conftest import MakeSettings, Processes, School
from worker.access.callers import Operator
from worker.api.app import create_api
from worker.api.http.conditional import accepts_gzip, names
from worker.api.services import Services
from worker.database import Database
from worker.settings import DEVELOPMENT_KEY

MINE = "/v1/me/calendar"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def lessons(database: Database, school: School) -> list[int]:
    """Three lessons of the school's first pair; ids."""
    with database.transaction() as session:
        rows = [
            Schedule(
                tutor_id=11,
                student_id=22,
                schedule_date=starts_at.date(),
                start_time=time(15),
                end_time=time(16),
                timezone="America/New_York",
                starts_at=starts_at,
                ends_at=starts_at + timedelta(hours=1),
                subject="ሒሳብ",
                notes="Bring: paper\r\nEND:VCALENDAR",
                updated_at=NOW - timedelta(hours=1),
            )
            for starts_at in (NOW + timedelta(days=days) for days in (1, 100, 200))
        ]
        session.add_all(rows)
        session.flush()
        session.add_all(
            ScheduleParticipant(
                schedule_id=row.id, student_id=22, starts_at=row.starts_at, ends_at=row.ends_at, status="scheduled"
            )
            for row in rows
        )
        return [row.id for row in rows]


@pytest.fixture
def make(client_for: ClientFor) -> Callable[[Any], str]:
    """`make(school.tutor)`: the path of a fresh address of theirs."""

    def path(caller: Any) -> str:
        status, body = client_for(caller).ask("POST", MINE)
        assert status == 201
        return str(httpx2.URL(body["url"]).path)

    return path


def test_an_address_is_made_told_once_changed_and_revoked(
    school: School, client_for: ClientFor, client: TestClient
) -> None:
    tutor = client_for(school.tutor)
    assert tutor.ask("GET", MINE) == (200, {"active": False, "created_at": None})
    response = tutor.send("POST", MINE, headers={"Idempotency-Key": "once"})
    assert (response.status_code, response.headers["cache-control"]) == (201, "no-store")
    first = response.json()["url"]
    assert re.fullmatch(r"http://testserver/v1/calendar/[A-Za-z0-9_-]{43}\.ics", first)
    state = tutor.send("GET", MINE)
    assert state.json()["active"] is True
    assert datetime.fromisoformat(state.json()["created_at"]).tzinfo is not None
    assert first.rpartition("/")[2].removesuffix(".ics") not in state.text

    # The same key again: the secret is not stored, so it cannot be returned again.
    second = tutor.send("POST", MINE, headers={"Idempotency-Key": "once"}).json()["url"]
    assert [client.get(url).status_code for url in (first, second)] == [404, 200]
    assert [tutor.ask("DELETE", MINE) for _ in range(2)] == [(204, None)] * 2
    assert client.get(second).status_code == 404
    assert tutor.ask("GET", MINE)[1]["active"] is False


@pytest.mark.parametrize("method", ["POST", "GET", "DELETE"])
def test_only_people_have_one(client: TestClient, client_for: ClientFor, operator: Operator, method: str) -> None:
    assert client.request(method, MINE).status_code == 401
    assert client_for(operator).ask(method, MINE)[0] == 403


def test_a_calendar_reads_it_without_a_token(
    school: School, client: TestClient, make: Callable[[Any], str], lessons: list[int]
) -> None:
    response = client.get(make(school.parent))
    assert response.status_code == 200
    assert response.headers["content-type"] == "text/calendar; charset=utf-8"
    assert response.headers["content-disposition"] == 'inline; filename="astegni.ics"'
    assert response.headers["cache-control"].startswith("private, max-age=")
    calendar = icalendar.Calendar.from_ical(response.content)
    events = recurring_ical_events.of(calendar).between(NOW, NOW + timedelta(days=365))
    assert [(str(item["UID"]), item["DTSTART"].dt) for item in events] == [
        (f"lesson-{lessons[number]}@astegni", NOW + timedelta(days=days)) for number, days in enumerate((1, 100, 200))
    ]
    assert events[0]["SUMMARY"] == "student 2: ሒሳብ with tutor 1"


def test_what_is_wrong_is_never_said(
    school: School, client: TestClient, make: Callable[[Any], str], database: Database
) -> None:
    path = make(school.tutor)
    with database.transaction() as session:
        session.execute(update(Person).where(Person.id == 1).values(is_active=False))
    # Of an inactive person; too short; too long; other characters.
    wrong = (path, "/v1/calendar/x.ics", f"/v1/calendar/{'x' * 9000}.ics", "/v1/calendar/%00%ff%ED%A0%80.ics")
    responses = [client.get(address, headers={"X-Request-ID": "same"}) for address in wrong]
    assert {response.status_code for response in responses} == {404}
    assert len({response.content for response in responses}) == 1
    assert responses[0].json()["code"] == "not-found"
    assert responses[0].json()["instance"] == "/v1/calendar/***"


@pytest.mark.usefixtures("lessons")
class TestConditional:
    """ETag, If-None-Match, gzip and HEAD."""

    def test_it_is_told_once_until_something_changes(
        self, school: School, client: TestClient, make: Callable[[Any], str], lessons: list[int], database: Database
    ) -> None:
        path = make(school.student)
        plain = {"Accept-Encoding": "identity"}
        first = client.get(path, headers=plain)
        tag = first.headers["etag"]
        assert re.fullmatch(r'"[0-9a-f]{32}"', tag)
        assert first.headers["vary"] == "Accept-Encoding"
        for header in (tag, f"W/{tag}", "*", f'"a,b", W/"c" , {tag}', f'"{"x" * 9000}",{tag}'):
            response = client.get(path, headers={**plain, "If-None-Match": header})
            assert (response.status_code, response.content) == (304, b"")
            for name in ("etag", "cache-control", "vary", "last-modified"):
                assert response.headers[name] == first.headers[name]
        for header in ('"other"', tag.strip('"'), "", '"', f'"x{tag}'):
            assert client.get(path, headers={**plain, "If-None-Match": header}).status_code == 200
        two = [(*plain.items(),)[0], ("If-None-Match", '"other"'), ("If-None-Match", tag)]
        assert client.get(path, headers=two).status_code == 304

        with database.transaction() as session:
            session.execute(update(Schedule).where(Schedule.id == lessons[2]).values(sequence=1, updated_at=NOW))
        changed = client.get(path, headers={**plain, "If-None-Match": tag})
        assert changed.status_code == 200
        assert changed.headers["etag"] != tag
        assert b"SEQUENCE:1" in changed.content

    def test_the_last_change(
        self, school: School, client: TestClient, make: Callable[[Any], str], database: Database
    ) -> None:
        path = make(school.student)
        with database.transaction() as session:
            session.execute(text("UPDATE calendar_feeds SET created_at = '2026-01-01'"))
        response = client.get(path)
        assert parsedate_to_datetime(response.headers["last-modified"]) == NOW - timedelta(hours=1)
        # A removed lesson leaves no later date, so If-Modified-Since is ignored.
        later = format_datetime(NOW + timedelta(days=1), usegmt=True)
        assert client.get(path, headers={"If-Modified-Since": later}).status_code == 200

    def test_compressed_it_is_the_same_under_another_tag(
        self, school: School, client: TestClient, make: Callable[[Any], str]
    ) -> None:
        path = make(school.student)
        plain = client.get(path, headers={"Accept-Encoding": "identity"})
        assert "content-encoding" not in plain.headers
        with client.stream("GET", path, headers={"Accept-Encoding": "br, gzip"}) as response:
            raw = b"".join(response.iter_raw())
        assert response.headers["content-encoding"] == "gzip"
        assert response.headers["content-length"] == str(len(raw))
        assert gzip.decompress(raw) == plain.content
        assert response.headers["etag"] == plain.headers["etag"][:-1] + '-gzip"'
        both = {"Accept-Encoding": "gzip", "If-None-Match": response.headers["etag"]}
        assert client.get(path, headers=both).status_code == 304

    @pytest.mark.parametrize("coding", ["gzip", "identity"])
    def test_head_is_get_without_its_body(
        self, school: School, client: TestClient, make: Callable[[Any], str], coding: str
    ) -> None:
        path, headers = make(school.student), {"Accept-Encoding": coding, "X-Request-ID": "same"}
        get, head = client.get(path, headers=headers), client.head(path, headers=headers)
        assert head.content == b""
        assert dict(head.headers) == dict(get.headers)
        assert client.head(path, headers={**headers, "If-None-Match": get.headers["etag"]}).status_code == 304
        assert client.head("/v1/calendar/x.ics").status_code == 404

    @pytest.mark.parametrize(
        ("header", "accepted"),
        [
            ("gzip", True),
            ("GZIP;q=0.1", True),
            ("x-gzip", True),
            ("deflate, gzip ; q=1.0", True),
            ("*", True),
            ("", False),
            ("identity", False),
            ("gzip;q=0", False),
            ("*;q=0", False),
            ("gzip;q=0, *", False),
            ("*;q=0, gzip", True),
            ("gzip;q=much", False),
            ("notgzip", False),
        ],
    )
    def test_who_takes_gzip(self, header: str, accepted: bool) -> None:
        assert accepts_gzip(header) is accepted

    def test_a_hostile_list_of_tags_names_nothing(self) -> None:
        for header in ('"' * 60_000, 'W/"' * 20_000, '"a' * 30_000, "W/" * 30_000):
            assert not names(header, '"tag"')


def test_any_server_strips_nothing_and_adds_nothing(
    school: School, api: FastAPI, serve: Serve, make: Callable[[Any], str], lessons: list[int]
) -> None:
    """Over a real socket, where a body after HEAD or 304 would be the next answer."""
    path = make(school.tutor)
    with serve(api) as url, httpx2.Client(base_url=url) as calendar:
        get = calendar.get(path)
        head = calendar.head(path)
        again = calendar.get(path, headers={"If-None-Match": get.headers["etag"]})
        last = calendar.get(path)
    assert [response.status_code for response in (get, head, again, last)] == [200, 200, 304, 200]
    assert head.headers["content-length"] == get.headers["content-length"]
    assert last.content == get.content


@pytest.fixture
def process(settings: MakeSettings, processes: Processes, redis_url: str) -> tuple[str, Path]:
    """`astegni api`, at its most talkative: its address, and the file of all that it says."""
    url, api = processes.api(settings(log_level="DEBUG", secret_key=DEVELOPMENT_KEY))
    return url, api.log


def test_the_secret_is_in_no_log_no_figure_and_no_problem(
    school: School, bearer: Bearer, database: Database, process: tuple[str, Path], lessons: list[int]
) -> None:
    """For every outcome: found, not modified, a wrong request, revoked, a crash."""
    url, log = process
    address = httpx2.post(url + MINE, headers=bearer(school.tutor)).json()["url"]
    assert address.startswith(url)
    secret = address.rpartition("/")[2].removesuffix(".ics")
    responses = [
        httpx2.get(address),
        httpx2.head(address),
        httpx2.get(address, headers={"If-None-Match": "*"}),
        httpx2.get(address + "?x=1"),
        httpx2.get(address + "/"),
        httpx2.get(address.removesuffix(".ics")),
        httpx2.get(address.replace("/v1/", "/v2/")),
        httpx2.post(address, content=b"x"),
    ]
    assert [response.status_code for response in responses] == [200, 200, 304, 200, 404, 404, 404, 405]
    httpx2.delete(url + MINE, headers=bearer(school.tutor))
    responses.append(httpx2.get(address))
    with database.transaction() as session:
        session.execute(text("ALTER TABLE calendar_feeds RENAME TO elsewhere"))
    responses.append(httpx2.get(address))
    responses.append(httpx2.get(f"{url}/metrics"))
    assert [response.status_code for response in responses[-3:]] == [404, 500, 200]
    log_text = log.read_text()
    for response in responses:
        assert secret not in response.text
        assert secret not in str(response.headers)
    assert secret not in log_text
    # It has looked where it should.
    assert log_text.count('"/v1/calendar/{secret}.ics"') >= 7
    assert "request_crashed" in log_text
    assert 'route="/v1/calendar/{secret}.ics"' in responses[-1].text


def test_what_a_client_says_of_its_address_is_not_believed(
    school: School, api: FastAPI, services: Services, serve: Serve, bearer: Bearer
) -> None:
    lies = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-Proto": "https",
        "Forwarded": "host=x",
    }
    with serve(api) as url:
        address = httpx2.post(url + MINE, headers=bearer(school.tutor) | lies).json()["url"]
    assert address.startswith(f"{url}/v1/calendar/")

    known = services.settings.model_copy(update={"public_base_url": "https://api.astegni.example/worker"})
    with serve(create_api(replace(services, settings=known))) as url:
        address = httpx2.post(url + MINE, headers=bearer(school.tutor) | lies).json()["url"]
    assert address.startswith("https://api.astegni.example/worker/v1/calendar/")


def test_without_a_database_the_secret_is_not_said_either(services: Services) -> None:
    away = Database("postgresql+psycopg://nobody@127.0.0.1:1/none")
    with TestClient(create_api(replace(services, database=away))) as client:
        response = client.get("/v1/calendar/hush-hush.ics")
    away.close()
    assert response.status_code == 503
    assert "hush-hush" not in response.text


def test_the_description_names_no_operation_twice(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    assert set(paths["/v1/calendar/{secret}.ics"]) == {"get"}
    assert "security" not in paths["/v1/calendar/{secret}.ics"]["get"]
    assert "text/calendar" in paths["/v1/calendar/{secret}.ics"]["get"]["responses"]["200"]["content"]
