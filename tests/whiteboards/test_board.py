"""The board as one document."""

from sqlalchemy import text

from tests.conftest import School
from tests.whiteboards.conftest import Lesson
from worker.whiteboards.delete_stroke import delete_stroke
from worker.whiteboards.pages import create_page
from worker.whiteboards.stroke_store import append_strokes
from worker.whiteboards.stroke_validation import NewStroke

POINTS = {"points": [[5, 6], [9, 11.25]], "color": "#000000", "width": 3}


def test_the_shape_that_the_platform_knows(lesson: Lesson, school: School) -> None:
    with lesson.database.transaction() as session:
        second = create_page(session, school.tutor, lesson.id, {"background_color": "#102030"}).id
    with lesson.database.transaction() as session:
        append_strokes(session, school.tutor, lesson.page_id, [NewStroke("a", "pen", POINTS)])
    assert lesson.board() == {
        "pages": [
            {
                "page_id": lesson.page_id,
                "page_number": 1,
                "page_title": "Page 1",
                "background_color": "#FFFFFF",
                "strokes": [{"stroke_type": "pen", "stroke_order": 1, "stroke_data": POINTS}],
            },
            {
                "page_id": second,
                "page_number": 2,
                "page_title": "Page 2",
                "background_color": "#102030",
                "strokes": [],
            },
        ]
    }


def test_order_is_by_number_then_by_id_and_without_deleted_ones(lesson: Lesson, school: School) -> None:
    lesson.draw(school.tutor, "a", "b", "c", "d", stroke_type="text")
    with lesson.database.transaction() as session:
        # As the platform's own server numbered them: two with one number.
        session.execute(text("UPDATE whiteboard_canvas_data SET stroke_order = 2 WHERE client_id IN ('b', 'd')"))
        session.execute(text("UPDATE whiteboard_canvas_data SET stroke_order = 1 WHERE client_id = 'c'"))
        session.execute(
            text(
                "UPDATE whiteboard_canvas_data SET stroke_data = jsonb_set(stroke_data, '{text}', to_jsonb(client_id))"
            )
        )
        delete_stroke(session, school.tutor, lesson.page_id, "a")
    (page,) = lesson.board()["pages"]
    assert [(stroke["stroke_data"]["text"], stroke["stroke_order"]) for stroke in page["strokes"]] == [
        ("c", 1),
        ("b", 2),
        ("d", 2),
    ]


def test_a_background_image_is_named_when_there_is_one(lesson: Lesson) -> None:
    assert "background_image" not in lesson.board()["pages"][0]
    with lesson.database.transaction() as session:
        session.execute(text("UPDATE whiteboard_pages SET background_image = 'grid.png'"))
    assert lesson.board()["pages"][0]["background_image"] == "grid.png"


def test_a_session_without_pages_has_an_empty_board(lesson: Lesson) -> None:
    with lesson.database.transaction() as session:
        session.execute(text("DELETE FROM whiteboard_pages"))
    assert lesson.board() == {"pages": []}
