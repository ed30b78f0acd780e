"""Board snapshots over HTTP: who may order and see them, the responses, what the addresses open."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import httpx2
import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from devstack.emulator.credentials import Credentials
from tests.api.conftest import ClientFor
from tests.conftest import MakeSettings, School
from tests.waiting import TIMEOUT
from worker.access.callers import Operator
from worker.api.app import create_api
from worker.api.services import Services
from worker.database import Database
from worker.jobs.orders.board_orders import SnapshotPage, SnapshotSession
from worker.jobs.runs.perform import Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.workflows.boards.snapshot_jobs import snapshot_page, snapshot_session
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

PEN = {"points": [[20, 20], [180, 180]], "color": "#ff0000", "width": 30}


class Lesson:
    """A session of the tutor's with one page and one stroke."""

    def __init__(self, services: Services, client_for: ClientFor, school: School) -> None:
        self.services = services
        self.tutor = client_for(school.tutor)
        body = {"booking_id": school.booking_id, "session_title": "Algebra"}
        board_session = self.tutor.ask("POST", "/v1/whiteboard/sessions", body)[1]
        self.id, self.page_id = board_session["id"], board_session["pages"][0]["id"]
        self.session = f"/v1/whiteboard/sessions/{self.id}"
        self.page = f"/v1/whiteboard/pages/{self.page_id}"
        self.draw("a")

    def draw(self, client_id: str) -> None:
        stroke = {"client_id": client_id, "stroke_type": "pen", "stroke_data": PEN}
        assert self.tutor.ask("POST", f"{self.page}/strokes", {"strokes": [stroke]})[0] == 200

    def work(self, job_id: str) -> None:
        """Do the job as a worker does."""
        works: dict[str, Any] = {SnapshotPage.kind: snapshot_page, SnapshotSession.kind: snapshot_session}
        performer = Performer(self.services.database, "test", LeaseTiming(30, 10, 0.02), 0.01, FAILURE_HOOKS)
        context = self.services.context
        performer.perform(UUID(job_id), lambda run, order: works[order.kind](run, order, context))

    def sql(self, statement: str) -> list[Any]:
        with self.services.database.transaction() as session:
            return [tuple(row) for row in session.execute(text(statement))]


@pytest.fixture
def lesson(services: Services, client_for: ClientFor, school: School) -> Lesson:
    return Lesson(services, client_for, school)


@pytest.fixture
def stored(lesson: Lesson, b2: Credentials) -> Lesson:
    """The lesson with its pictures and its document."""
    lesson.work(lesson.tutor.ask("POST", f"{lesson.session}/snapshot")[1]["job_id"])
    return lesson


@pytest.fixture
def services(settings: MakeSettings, database: Database, b2: Credentials) -> Services:
    return Services(settings(spool_reserve_bytes=0), database, failure_hooks={})


@pytest.fixture
def outside() -> Iterator[httpx2.Client]:
    """Somebody with nothing but addresses."""
    with httpx2.Client(trust_env=False, timeout=TIMEOUT) as client:
        yield client


@pytest.mark.parametrize("what", ["page", "session"])
def test_ordering_is_answered_with_a_job_to_follow(lesson: Lesson, what: str) -> None:
    path = f"{getattr(lesson, what)}/snapshot"

    response = lesson.tutor.send("POST", path)

    assert response.status_code == 202
    job_id = response.json()["job_id"]
    assert (response.headers["location"], response.headers["retry-after"]) == (f"/v1/jobs/{job_id}", "2")
    status, job = lesson.tutor.ask("GET", f"/v1/jobs/{job_id}")
    expected = {"page": f"page:{lesson.page_id}", "session": f"session:{lesson.id}"}[what]
    assert (status, job["kind"], job["subject"]) == (200, f"canvases.snapshot_{what}", expected)
    # Asked again while it is under way: the same.
    assert lesson.tutor.ask("POST", path) == (202, {"job_id": job_id})


def test_everybody_follows_a_job_of_their_own(
    lesson: Lesson, client_for: ClientFor, school: School, operator: Operator
) -> None:
    jobs = set()
    for who in (school.tutor, school.student, school.parent, operator):
        status, document = client_for(who).ask("POST", f"{lesson.page}/snapshot")
        assert (status, client_for(who).ask("GET", f"/v1/jobs/{document['job_id']}")[0]) == (202, 200)
        jobs.add(document["job_id"])
    assert len(jobs) == 4


def test_an_idempotency_key_repeats_the_answer(lesson: Lesson) -> None:
    options = {"headers": {"Idempotency-Key": "once"}}
    first = lesson.tutor.send("POST", f"{lesson.page}/snapshot", **options)
    lesson.work(first.json()["job_id"])
    again = lesson.tutor.send("POST", f"{lesson.page}/snapshot", **options)
    assert (again.content, again.headers["idempotency-replayed"]) == (first.content, "true")
    assert lesson.tutor.ask("POST", f"{lesson.page}/snapshot")[1] != first.json()


def test_before_anything_was_drawn_there_is_nothing(lesson: Lesson) -> None:
    for path in (lesson.page, lesson.session):
        status, document = lesson.tutor.ask("GET", f"{path}/snapshots")
        assert (status, document["items"], document["next"]) == (200, [], None)


def test_what_there_is_of_a_board(stored: Lesson, outside: httpx2.Client) -> None:
    response = stored.tutor.send("GET", f"{stored.session}/snapshots")

    assert response.headers["cache-control"] == "no-store"
    items = response.json()["items"]
    assert [(item["page_id"], item["page_number"], item["name"]) for item in items] == [
        *((stored.page_id, 1, name) for name in ("png", "png_2x", "svg", "thumbnail")),
        (None, None, "pdf"),
    ]
    for item in items:
        got = outside.get(item["url"])
        assert (got.status_code, got.headers["content-type"]) == (200, item["mime"])
        assert len(got.content) == item["bytes"]
        assert (item["is_current"], item["skipped"]) == (True, 0)
    assert (items[1]["width"], items[1]["height"]) == (2400, 1600)
    assert outside.get(items[0]["url"].partition("?")[0]).status_code == 401


def test_a_page_s_addresses_open_that_page_only(stored: Lesson, outside: httpx2.Client) -> None:
    page = stored.tutor.ask("GET", f"{stored.page}/snapshots")[1]["items"]
    board = stored.tutor.ask("GET", f"{stored.session}/snapshots")[1]["items"]
    assert [item["name"] for item in page] == ["png", "png_2x", "svg", "thumbnail"]
    token = urlsplit(page[0]["url"]).query
    document = board[-1]["url"].partition("?")[0]
    assert outside.get(page[0]["url"]).status_code == 200
    assert outside.get(f"{document}?{token}").status_code == 401


def test_what_was_drawn_since_makes_it_old(stored: Lesson) -> None:
    stored.draw("b")
    items = stored.tutor.ask("GET", f"{stored.session}/snapshots")[1]["items"]
    assert [item["is_current"] for item in items] == [False] * 5
    assert [item["is_current"] for item in stored.tutor.ask("GET", f"{stored.page}/snapshots")[1]["items"]] == [
        False
    ] * 4
    # And what makes it as it was makes it current.
    assert stored.tutor.send("DELETE", f"{stored.page}/strokes/b").status_code == 204
    items = stored.tutor.ask("GET", f"{stored.session}/snapshots")[1]["items"]
    assert [item["is_current"] for item in items] == [True] * 5


def test_those_of_the_lesson_see_it_and_others_find_nothing(
    stored: Lesson, client_for: ClientFor, school: School, client: TestClient
) -> None:
    paths = [f"{path}/snapshots" for path in (stored.page, stored.session)]
    for who in (school.student, school.parent):
        for path in paths:
            assert client_for(who).ask("GET", path)[0] == 200
    for who in (school.other_tutor, school.other_student, school.other_parent):
        for path in paths:
            assert client_for(who).ask("GET", path)[0] == 404
            assert client_for(who).ask("POST", path.removesuffix("s"))[0] == 404
    for path in paths:
        assert client.get(path).status_code == 401
        assert client.post(path.removesuffix("s")).status_code == 401
    for path in ("/v1/whiteboard/pages/99", "/v1/whiteboard/sessions/99", "/v1/whiteboard/pages/x"):
        assert client_for(school.tutor).ask("GET", f"{path}/snapshots")[0] == 404
        assert client_for(school.tutor).ask("POST", f"{path}/snapshot")[0] == 404


def test_what_operators_look_at_is_kept(
    stored: Lesson, client_for: ClientFor, operator: Operator, school: School
) -> None:
    admin = client_for(operator)
    for path in (stored.page, stored.session):
        assert admin.ask("GET", f"{path}/snapshots")[0] == 200
        assert admin.ask("POST", f"{path}/snapshot")[0] == 202
    client_for(school.parent).ask("GET", f"{stored.page}/snapshots")
    assert stored.sql("SELECT admin_id, action, address FROM operator_accesses ORDER BY id") == [
        (3, "GET /v1/whiteboard/pages/{page_id}/snapshots", f"{stored.page}/snapshots"),
        (3, "POST /v1/whiteboard/pages/{page_id}/snapshot", f"{stored.page}/snapshot"),
        (3, "GET /v1/whiteboard/sessions/{session_id}/snapshots", f"{stored.session}/snapshots"),
        (3, "POST /v1/whiteboard/sessions/{session_id}/snapshot", f"{stored.session}/snapshot"),
    ]


def test_the_end_of_a_session_orders_its_pictures_once(lesson: Lesson) -> None:
    lesson.tutor.ask("POST", f"{lesson.session}/start")
    assert lesson.tutor.ask("GET", "/v1/jobs?kind=canvases.snapshot_session")[1]["items"] == []
    for _ in range(2):
        assert lesson.tutor.ask("POST", f"{lesson.session}/end")[0] == 200
        (job,) = lesson.tutor.ask("GET", f"/v1/jobs?subject=session:{lesson.id}")[1]["items"]
        assert job["kind"] == "canvases.snapshot_session"
        if job["state"] == "queued":
            lesson.work(job["id"])


def test_how_far_pictures_are_behind_is_a_figure(lesson: Lesson) -> None:
    def behind() -> float:
        with TestClient(create_api(lesson.services)) as client:
            lines = client.get("/metrics").text.splitlines()
        (line,) = [line for line in lines if line.startswith("astegni_snapshots_behind_seconds ")]
        return float(line.split()[1])

    lesson.sql("UPDATE whiteboard_canvas_data SET created_at = now() - interval '10 minutes' RETURNING 1")
    assert behind() == 0
    lesson.tutor.ask("POST", f"{lesson.session}/start")
    assert 600 <= behind() < 660
    lesson.work(lesson.tutor.ask("POST", f"{lesson.page}/snapshot")[1]["job_id"])
    assert behind() == 0
