"""Films of boards and combined lessons over HTTP: who may order one, and what the responses say."""

from typing import Any
from uuid import UUID

import pytest

from tests.api.conftest import ClientFor
from tests.conftest import School
from tests.statements import run_statement
from worker.access.callers import Operator
from worker.api.services import Services
from worker.jobs.orders.board_orders import ReplayBoard
from worker.jobs.orders.lesson_orders import CombineRecordings
from worker.jobs.orders.registered import read_order

PEN = {"points": [[20, 20], [180, 180]], "color": "#ff0000", "width": 30}


class Lesson:
    """A session of the tutor's with one page."""

    def __init__(self, services: Services, client_for: ClientFor, school: School) -> None:
        self.services = services
        self.tutor = client_for(school.tutor)
        board_session = self.tutor.ask("POST", "/v1/whiteboard/sessions", {"booking_id": school.booking_id})[1]
        self.id, self.page_id = board_session["id"], board_session["pages"][0]["id"]
        self.address = f"/v1/whiteboard/sessions/{self.id}/replay"

    def draw(self, client_id: str = "a") -> None:
        stroke = {"client_id": client_id, "stroke_type": "pen", "stroke_data": PEN}
        assert self.tutor.ask("POST", f"/v1/whiteboard/pages/{self.page_id}/strokes", {"strokes": [stroke]})[0] == 200

    def sql(self, statement: str) -> list[Any]:
        return run_statement(self.services.database, statement)


@pytest.fixture
def lesson(services: Services, client_for: ClientFor, school: School) -> Lesson:
    return Lesson(services, client_for, school)


def test_a_film_is_ordered(lesson: Lesson) -> None:
    lesson.draw()
    response = lesson.tutor.send("POST", lesson.address)
    assert response.status_code == 202
    job_id = response.json()["job_id"]
    assert response.headers["Location"] == f"/v1/jobs/{job_id}"

    status, job = lesson.tutor.ask("GET", response.headers["Location"])
    assert (status, job["kind"], job["subject"]) == (200, "canvases.replay", f"session:{lesson.id}")
    row = lesson.sql("SELECT * FROM jobs WHERE kind = 'canvases.replay'")[0]
    assert row.queue == f"media.{lesson.services.settings.spool_id}"
    order = ReplayBoard(
        lesson.id, lesson.services.settings.spool_id, shorten_idle=False, asked_by="user:1", recorded_by=1
    )
    assert read_order(row.kind, row.args) == order


def test_asked_twice_it_is_one_job_and_shortened_another(lesson: Lesson) -> None:
    lesson.draw()
    jobs = [
        UUID(lesson.tutor.ask("POST", lesson.address, body)[1]["job_id"])
        for body in ({}, {"shorten_idle": False}, {"shorten_idle": True})
    ]
    assert jobs[0] == jobs[1] != jobs[2]


def test_an_idempotency_key_is_kept(lesson: Lesson) -> None:
    lesson.draw()
    first, again = (lesson.tutor.send("POST", lesson.address, {}, headers={"Idempotency-Key": "k"}) for _ in range(2))
    assert first.content == again.content
    assert again.headers["Idempotency-Replayed"] == "true"


def test_only_the_tutor_may(lesson: Lesson, client_for: ClientFor, school: School) -> None:
    lesson.draw()
    for somebody, status in (
        (school.student, 403),
        (school.parent, 403),
        (school.other_tutor, 404),
        (school.other_student, 404),
    ):
        assert client_for(somebody).ask("POST", lesson.address, {})[0] == status
    assert lesson.sql("SELECT 1 FROM jobs WHERE kind = 'canvases.replay'") == []


def test_an_operator_may_and_that_is_kept(lesson: Lesson, client_for: ClientFor, operator: Operator) -> None:
    lesson.draw()
    status, document = client_for(operator).ask("POST", lesson.address, {})
    assert status == 202
    assert client_for(operator).ask("GET", f"/v1/jobs/{document['job_id']}")[0] == 200
    rows = lesson.sql("SELECT admin_id, action, address FROM operator_accesses ORDER BY id")
    action = "POST /v1/whiteboard/sessions/{session_id}/replay"
    assert tuple(rows[0]) == (operator.admin_id, action, lesson.address)


def test_an_empty_board_is_refused(lesson: Lesson) -> None:
    status, problem = lesson.tutor.ask("POST", lesson.address, {})
    assert (status, problem["code"]) == (409, "nothing-drawn")
    # Deleted by an old release, which did not store the time.
    lesson.draw()
    lesson.sql("UPDATE whiteboard_canvas_data SET is_deleted = true")
    assert lesson.tutor.ask("POST", lesson.address, {})[0] == 409
    # Taken back a moment after: that can be shown.
    lesson.sql("UPDATE whiteboard_canvas_data SET deleted_at = now()")
    assert lesson.tutor.ask("POST", lesson.address, {})[0] == 202


@pytest.mark.parametrize("body", [{"shorten_idle": "perhaps"}, {"speed": 2}, [], "x"])
def test_a_body_of_another_kind_is_refused(lesson: Lesson, body: Any) -> None:
    lesson.draw()
    assert lesson.tutor.ask("POST", lesson.address, body)[0] == 422


class RecordedLesson(Lesson):
    """The same, of which recordings can be played."""

    def __init__(self, services: Services, client_for: ClientFor, school: School) -> None:
        super().__init__(services, client_for, school)
        self.address = f"/v1/whiteboard/sessions/{self.id}/combine"

    def record(self, kind: str, seconds: int) -> None:
        run_statement(
            self.services.database,
            """
            WITH recording AS (
                INSERT INTO whiteboard_session_recordings (session_id, recording_type, is_available, recording_metadata)
                VALUES (:id, :kind, true, jsonb_build_object('duration_ms', :ms, 'video_codec', 'vp9'))
                RETURNING id
            )
            INSERT INTO recording_renditions (recording_id, name, state, object_name)
            SELECT id, 'playback', 'ready', 'recording' || id FROM recording
            """,
            id=self.id,
            kind=kind,
            ms=seconds * 1000,
        )


@pytest.fixture
def recorded_lesson(services: Services, client_for: ClientFor, school: School) -> RecordedLesson:
    return RecordedLesson(services, client_for, school)


def test_a_combined_lesson_is_ordered_once(recorded_lesson: RecordedLesson) -> None:
    for kind in ("video", "screen"):
        recorded_lesson.record(kind, 3600)
    response = recorded_lesson.tutor.send("POST", recorded_lesson.address)
    assert response.status_code == 202
    assert response.headers["Location"] == f"/v1/jobs/{response.json()['job_id']}"
    assert recorded_lesson.tutor.ask("POST", recorded_lesson.address)[1] == response.json()

    row = recorded_lesson.sql("SELECT * FROM jobs WHERE kind = 'recordings.combine'")[0]
    order = read_order(row.kind, row.args)
    assert isinstance(order, CombineRecordings)
    # Both were recorded at about the same time.
    assert order.seconds == pytest.approx(3600, abs=60)
    assert (row.subject, row.time_limit) == (f"session:{recorded_lesson.id}", order.time_limit)


def test_a_combined_lesson_with_an_idempotency_key_is_kept(recorded_lesson: RecordedLesson) -> None:
    recorded_lesson.record("video", 60)
    recorded_lesson.draw()
    first, again = (
        recorded_lesson.tutor.send("POST", recorded_lesson.address, headers={"Idempotency-Key": "k"}) for _ in range(2)
    )
    assert (first.status_code, first.content) == (202, again.content)
    assert again.headers["Idempotency-Replayed"] == "true"


def test_too_little_to_combine_is_refused(recorded_lesson: RecordedLesson) -> None:
    recorded_lesson.draw()
    assert recorded_lesson.tutor.ask("POST", recorded_lesson.address)[1]["code"] == "nothing-to-combine"
    recorded_lesson.sql("DELETE FROM whiteboard_canvas_data")
    recorded_lesson.record("video", 60)
    # What was combined before, and the film of a board, are no recordings of people.
    recorded_lesson.record("video", 60)
    recorded_lesson.sql(
        'UPDATE whiteboard_session_recordings SET recording_metadata = recording_metadata || \'{"origin": "combined"}\''
        " WHERE id = (SELECT max(id) FROM whiteboard_session_recordings)"
    )
    assert recorded_lesson.tutor.ask("POST", recorded_lesson.address)[0] == 409


def test_only_the_tutor_may_combine(recorded_lesson: RecordedLesson, client_for: ClientFor, school: School) -> None:
    for kind in ("video", "screen"):
        recorded_lesson.record(kind, 60)
    for caller, status in ((school.student, 403), (school.parent, 403), (school.other_tutor, 404)):
        assert client_for(caller).ask("POST", recorded_lesson.address)[0] == status
