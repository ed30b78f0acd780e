"""Strokes over HTTP: what a board's client sends and gets back."""

from typing import Any

import pytest

from tests.api.conftest import ClientFor
from tests.conftest import School, Sql

PEN = {"points": [[12.5, 30.25], [18, 34.25]], "color": "#1d4ed8", "width": 4}


@pytest.fixture
def page(school: School, client_for: ClientFor) -> str:
    """Address of a page of the tutor's."""
    board_session = client_for(school.tutor).ask("POST", "/v1/whiteboard/sessions", {"booking_id": school.booking_id})[
        1
    ]
    return f"/v1/whiteboard/pages/{board_session['pages'][0]['id']}"


def _stroke(client_id: str, **more: Any) -> dict[str, Any]:
    return {"client_id": client_id, "stroke_type": "pen", "stroke_data": PEN} | more


def test_strokes_come_back_on_the_board(school: School, client_for: ClientFor, page: str) -> None:
    tutor = client_for(school.tutor)
    times = {"started_at": "2026-02-02T14:00:00.100+03:00", "ended_at": "2026-02-02T14:00:01+03:00"}
    text = {"stroke_type": "text", "stroke_data": {"text": "ምሳሌ", "x": 30, "y": 84}}
    status, placed = tutor.ask("POST", f"{page}/strokes", {"strokes": [_stroke("a", **times), _stroke("b", **text)]})
    assert status == 200
    assert [(item["client_id"], item["stroke_order"]) for item in placed["strokes"]] == [("a", 1), ("b", 2)]
    session_id = tutor.ask("GET", page)[1]["session_id"]
    status, board = client_for(school.parent).ask("GET", f"/v1/whiteboard/sessions/{session_id}/board")
    assert status == 200
    assert board["pages"][0]["strokes"] == [
        {"stroke_type": "pen", "stroke_order": 1, "stroke_data": PEN},
        {"stroke_type": "text", "stroke_order": 2, "stroke_data": text["stroke_data"]},
    ]
    assert tutor.send("DELETE", f"{page}/strokes/a").status_code == 204
    assert tutor.ask("POST", f"{page}/clear") == (200, {"cleared": 1})


def test_strokes_of_a_device_whose_clock_was_wrong_have_no_times(
    school: School, client_for: ClientFor, page: str, sql: Sql
) -> None:
    times = {"started_at": "1970-01-01T00:03:00.000Z", "ended_at": "1970-01-01T00:03:01.000Z"}
    assert client_for(school.tutor).ask("POST", f"{page}/strokes", {"strokes": [_stroke("a", **times)]})[0] == 200
    assert sql("SELECT started_at, ended_at FROM whiteboard_canvas_data") == [(None, None)]


def test_a_student_may_after_it_was_granted(school: School, client_for: ClientFor, page: str) -> None:
    tutor, student = client_for(school.tutor), client_for(school.student)
    session_id = tutor.ask("GET", page)[1]["session_id"]
    assert student.ask("POST", f"{page}/strokes", {"strokes": [_stroke("a")]})[0] == 403
    tutor.ask("PATCH", f"/v1/whiteboard/sessions/{session_id}", {"student_permissions": {"can_draw": True}})
    assert student.ask("POST", f"{page}/strokes", {"strokes": [_stroke("a")]})[0] == 200


def test_a_student_who_may_erase_takes_back_and_clears_what_others_drew(
    school: School, client_for: ClientFor, page: str
) -> None:
    tutor, student = client_for(school.tutor), client_for(school.student)
    session_id = tutor.ask("GET", page)[1]["session_id"]
    tutor.ask("POST", f"{page}/strokes", {"strokes": [_stroke("a"), _stroke("b")]})
    assert student.ask("DELETE", f"{page}/strokes/a")[0] == 403
    assert student.ask("POST", f"{page}/clear")[0] == 403

    tutor.ask("PATCH", f"/v1/whiteboard/sessions/{session_id}", {"student_permissions": {"can_erase": True}})

    assert student.send("DELETE", f"{page}/strokes/a").status_code == 204
    assert student.ask("POST", f"{page}/clear") == (200, {"cleared": 1})
    assert student.ask("POST", f"{page}/activate")[0] == 403
    tutor.ask("PATCH", f"/v1/whiteboard/sessions/{session_id}", {"student_permissions": {"can_erase": False}})
    assert student.ask("POST", f"{page}/clear")[0] == 403


def test_who_opened_the_board_of_a_call_may_erase(school: School, client_for: ClientFor, page: str, sql: Sql) -> None:
    """The platform's page lets whoever called clear and undo."""
    student = client_for(school.student)
    assert student.ask("POST", f"{page}/clear")[0] == 403
    sql("UPDATE whiteboard_sessions SET opener_profile_type = 'student', opener_profile_id = 22")
    assert student.ask("POST", f"{page}/clear") == (200, {"cleared": 0})
    assert client_for(school.parent).ask("POST", f"{page}/clear")[0] == 403


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"strokes": []},
        {"strokes": [_stroke("x") for _ in range(501)]},
        {"strokes": [_stroke("")]},
        {"strokes": [_stroke("a/b")]},
        {"strokes": [_stroke("a" * 65)]},
        {"strokes": [_stroke("a", stroke_type="laser")]},
        {"strokes": [_stroke("a", stroke_data=[])]},
        {"strokes": [_stroke("a", stroke_data={"points": []})]},
        {"strokes": [_stroke("a", stroke_data=PEN | {"color": "\ud800"})]},
        {"strokes": [_stroke("a", stroke_data=PEN | {"a\x00": 1})]},
        {"strokes": [_stroke("a", stroke_order=7)]},
        {"strokes": [_stroke("a", started_at="2026-02-02T14:00:00")]},
        {"strokes": [_stroke("a", started_at="2026-02-02T14:00:01Z", ended_at="2026-02-02T14:00:00Z")]},
    ],
)
def test_what_cannot_be_strokes_is_refused(school: School, client_for: ClientFor, page: str, body: Any) -> None:
    tutor = client_for(school.tutor)
    assert tutor.ask("POST", f"{page}/strokes", body)[0] == 422
    assert tutor.ask("POST", f"{page}/clear")[1] == {"cleared": 0}


def test_bad_strokes_are_named_and_the_others_are_stored(school: School, client_for: ClientFor, page: str) -> None:
    tutor = client_for(school.tutor)
    strokes: list[Any] = [
        _stroke("a", stroke_type="laser"),
        _stroke("b"),
        _stroke("c", stroke_order=7),
        5,
        _stroke("d", stroke_data={"points": [10, 20, 30, 40], "stroke": "red", "strokeWidth": "4px"}),
        _stroke("e", stroke_data={"points": "?"}),
        _stroke("f/f"),
    ]
    for _ in range(2):
        status, document = tutor.ask("POST", f"{page}/strokes", {"strokes": strokes})
        assert status == 200
        assert [(item["client_id"], item["stroke_order"]) for item in document["strokes"]] == [("b", 1), ("d", 2)]
        assert [(item["index"], item["client_id"]) for item in document["refused"]] == [
            (0, "a"),
            (2, "c"),
            (3, None),
            (5, "e"),
            (6, "f/f"),
        ]
        assert "stroke_type" in document["refused"][0]["reason"]
        assert "stroke_order" in document["refused"][1]["reason"]
        assert "points" in document["refused"][3]["reason"]
    session_id = tutor.ask("GET", page)[1]["session_id"]
    board = tutor.ask("GET", f"/v1/whiteboard/sessions/{session_id}/board")[1]
    assert board["pages"][0]["strokes"][1]["stroke_data"] == {
        "points": [[10, 20], [30, 40]],
        "color": "red",
        "width": 4,
    }


def test_when_none_can_be_stored_that_is_an_error(school: School, client_for: ClientFor, page: str) -> None:
    status, problem = client_for(school.tutor).ask("POST", f"{page}/strokes", {"strokes": [{}, _stroke("a", more=1)]})
    assert (status, problem["code"]) == (422, "invalid-input")
    assert [(item["index"], item["client_id"]) for item in problem["refused"]] == [(0, None), (1, "a")]
    assert client_for(school.other_tutor).ask("POST", f"{page}/strokes", {"strokes": [{}]})[0] == 404


def test_a_full_batch_of_long_strokes_is_taken_and_more_is_too_large(
    school: School, client_for: ClientFor, page: str
) -> None:
    tutor = client_for(school.tutor)
    long = {"points": [[number, number] for number in range(450)]}
    strokes = [_stroke(f"s{number}", stroke_data=long) for number in range(500)]
    response = tutor.send("POST", f"{page}/strokes", {"strokes": strokes})
    assert response.status_code == 413, len(response.request.content)
    assert tutor.ask("POST", f"{page}/strokes", {"strokes": strokes[:250]})[0] == 200


def test_addresses_of_others_do_not_exist(school: School, client_for: ClientFor, page: str) -> None:
    outsider = client_for(school.other_tutor)
    for method, path, body in (
        ("GET", page, None),
        ("POST", f"{page}/strokes", {"strokes": [_stroke("a")]}),
        ("POST", f"{page}/clear", None),
        ("POST", f"{page}/activate", None),
        ("DELETE", f"{page}/strokes/a", None),
        ("DELETE", f"{page}/strokes/a%00", None),
    ):
        assert outsider.ask(method, path, body)[0] == 404, path


def test_a_repeated_clear_leaves_what_was_drawn_after_it(school: School, client_for: ClientFor, page: str) -> None:
    tutor, key = client_for(school.tutor), {"Idempotency-Key": "clear-1"}
    tutor.ask("POST", f"{page}/strokes", {"strokes": [_stroke("before")]})
    first = tutor.send("POST", f"{page}/clear", headers=key)
    tutor.ask("POST", f"{page}/strokes", {"strokes": [_stroke("after")]})
    repeated = tutor.send("POST", f"{page}/clear", headers=key)
    assert (first.content, repeated.content) == (b'{"cleared":1}', b'{"cleared":1}')
    assert repeated.headers["Idempotency-Replayed"] == "true"
    assert tutor.ask("POST", f"{page}/clear") == (200, {"cleared": 1})
