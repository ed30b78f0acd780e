"""A board over HTTP: whole, page by page, in parts; bounded when it is written, and small in memory when it is read."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.api.conftest import ClientFor
from tests.conftest import School, Sql
from worker.api.http.file_backed_response import file_backed_response
from worker.api.services import Services


class Lesson:
    """A whiteboard session of the tutor's."""

    def __init__(self, tutor: Any, booking_id: int) -> None:
        self.tutor = tutor
        board_session = tutor.ask("POST", "/v1/whiteboard/sessions", {"booking_id": booking_id})[1]
        self.address = f"/v1/whiteboard/sessions/{board_session['id']}"
        self.pages = [board_session["pages"][0]["id"]]

    def add_page(self, **values: Any) -> int:
        self.pages.append(self.tutor.ask("POST", f"{self.address}/pages", values)[1]["id"])
        return int(self.pages[-1])

    def draw(self, page_id: int, *names: str, points: int = 2) -> Any:
        data = {"points": [[1.5, 2.25]] * points, "color": "#1d4ed8", "text": 'ምሳሌ \\ " é'}
        strokes = [{"client_id": name, "stroke_type": "pen", "stroke_data": data} for name in names]
        return self.tutor.send("POST", f"/v1/whiteboard/pages/{page_id}/strokes", {"strokes": strokes})

    def board(self, query: str = "") -> Any:
        response = self.tutor.send("GET", f"{self.address}/board{query}")
        assert response.status_code == 200, response.text
        assert int(response.headers["content-length"]) == len(response.content)
        return response.json()


@pytest.fixture
def lesson(school: School, client_for: ClientFor) -> Lesson:
    return Lesson(client_for(school.tutor), school.booking_id)


def _strokes(board: Any) -> list[tuple[int, int]]:
    return [(page["page_id"], stroke["stroke_order"]) for page in board["pages"] for stroke in page["strokes"]]


def test_the_board_is_what_the_recording_keeps(lesson: Lesson, sql: Sql, services: Services) -> None:
    from worker.whiteboards.board import board_snapshot

    lesson.add_page(page_title="\ud800".encode("utf-8", "replace").decode(), background_image="images/posts/a.png")
    lesson.draw(lesson.pages[0], "a", "b")
    lesson.draw(lesson.pages[1], "a")
    lesson.tutor.send("DELETE", f"/v1/whiteboard/pages/{lesson.pages[0]}/strokes/a")
    with services.database.transaction() as session:
        snapshot = board_snapshot(session, int(lesson.address.rpartition("/")[2]))
    assert lesson.board() == snapshot | {"next": None}
    assert _strokes(lesson.board()) == [(lesson.pages[0], 2), (lesson.pages[1], 1)]


def test_one_page_alone(lesson: Lesson) -> None:
    second = lesson.add_page()
    lesson.draw(lesson.pages[0], "a")
    lesson.draw(second, "b", "c")
    assert _strokes(lesson.board(f"?page_id={second}")) == [(second, 1), (second, 2)]
    assert lesson.board("?page_id=999999") == {"pages": [], "next": None}


@given(st.integers(1, 8), st.lists(st.integers(0, 4), min_size=1, max_size=4))
@hypothesis_settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_parts_together_are_the_whole(client_for: ClientFor, school: School, limit: int, counts: list[int]) -> None:
    lesson = Lesson(client_for(school.tutor), school.booking_id)
    for number, count in enumerate(counts):
        page_id = lesson.add_page() if number else lesson.pages[0]
        if count:
            lesson.draw(page_id, *(f"s{n}" for n in range(count)))
    strokes, query = [], f"?limit={limit}"
    while True:
        part = lesson.board(query)
        assert len(_strokes(part)) <= limit
        strokes += _strokes(part)
        if part["next"] is None:
            break
        query = f"?limit={limit}&cursor={part['next']}"
    assert strokes == _strokes(lesson.board())


@pytest.mark.parametrize("cursor", ["x", "MSAy", "MSAyIDMgNA==", "MSAyIGE=", "OTk5OTk5OTk5OTkgMSAx", "%00"])
def test_a_cursor_of_nobody_s_is_refused(lesson: Lesson, cursor: str) -> None:
    assert lesson.tutor.send("GET", f"{lesson.address}/board?cursor={cursor}").status_code == 422


@pytest.mark.parametrize("limits", [{"limit_board_page_bytes": 5_000}])
def test_a_page_that_is_full_says_what_to_do(lesson: Lesson) -> None:
    assert lesson.draw(lesson.pages[0], "a", points=300).status_code == 200
    refused = lesson.draw(lesson.pages[0], "b", points=300)
    assert refused.status_code == 413
    assert "Add a page" in refused.json()["detail"]
    # Nothing of the refused batch is stored or counted; what fits still does.
    assert _strokes(lesson.board()) == [(lesson.pages[0], 1)]
    assert lesson.draw(lesson.pages[0], "c").status_code == 200
    assert lesson.draw(lesson.add_page(), "b", points=300).status_code == 200


@pytest.mark.parametrize("limits", [{"limit_board_session_bytes": 5_000}])
def test_a_session_that_is_full_says_what_to_do(lesson: Lesson) -> None:
    assert lesson.draw(lesson.pages[0], "a", points=300).status_code == 200
    refused = lesson.draw(lesson.add_page(), "b", points=300)
    assert refused.status_code == 413
    assert "Open another session" in refused.json()["detail"]


@pytest.mark.parametrize("limits", [{"limit_board_page_bytes": 5_000}])
def test_strokes_that_come_twice_count_once(lesson: Lesson) -> None:
    for _ in range(5):
        assert lesson.draw(lesson.pages[0], "a", points=300).status_code == 200


def test_a_large_answer_is_a_file() -> None:
    """What is above a megabyte waits on the disk, and goes out in pieces."""

    def write(out: Any) -> None:
        for _ in range(100):
            out.write(b" " * 100_000)
        assert out._rolled

    response = file_backed_response(write)
    assert response.headers["content-length"] == "10000000"
    response.file.close()


def test_a_writer_that_fails_leaves_no_file() -> None:
    files = []

    def write(out: Any) -> None:
        files.append(out)
        raise json.JSONDecodeError("", "", 0)

    with pytest.raises(json.JSONDecodeError):
        file_backed_response(write)
    assert files[0].closed
