"""Appending strokes to a page: order, repeats, permissions, undo."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import School
from tests.whiteboards.conftest import Lesson
from worker.access.callers import Operator
from worker.errors import Conflict, Forbidden, NotFound
from worker.whiteboards.board_bytes import BoardBounds
from worker.whiteboards.delete_stroke import delete_stroke
from worker.whiteboards.pages import clear_page
from worker.whiteboards.stroke_store import MAX_POINTS_OF_A_BATCH, MAX_STROKES_OF_A_PAGE, append_strokes
from worker.whiteboards.stroke_validation import NewStroke


def test_strokes_are_numbered_as_they_come(lesson: Lesson, school: School) -> None:
    first = lesson.draw(school.tutor, "a", "b")
    second = lesson.draw(school.tutor, "c")
    assert [(stroke.client_id, stroke.stroke_order) for stroke in (*first, *second)] == [("a", 1), ("b", 2), ("c", 3)]
    (row, *_) = lesson.rows()
    assert (row.session_id, row.user_id, row.profile_id, row.profile_type) == (lesson.id, 1, 11, "tutor")


def test_what_is_sent_twice_is_stored_once(lesson: Lesson, school: School) -> None:
    first = lesson.draw(school.tutor, "a", "b")
    again = lesson.draw(school.tutor, "b", "c", "a", "c", color="#ff0000")
    assert [(stroke.client_id, stroke.stroke_order) for stroke in again] == [("b", 2), ("c", 3), ("a", 1)]
    assert {stroke.id for stroke in first} < {stroke.id for stroke in again}
    assert [(row.client_id, row.stroke_data.get("color")) for row in lesson.rows()] == [
        ("a", None),
        ("b", None),
        ("c", "#ff0000"),
    ]


def test_eight_writers_at_once_leave_no_gap_and_no_double(lesson: Lesson, school: School) -> None:
    """Each sends ten batches of five, and every batch twice, as a client does whose answer was lost."""
    lesson.grant(can_draw=True)

    def write(writer: int) -> None:
        caller = school.tutor if writer % 2 else school.student
        for batch in range(10):
            names = [f"w{writer}-{batch}-{number}" for number in range(5)]
            placed = lesson.draw(caller, *names)
            assert lesson.draw(caller, *names) == placed

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(write, range(8)))
    rows = lesson.rows()
    assert [row.stroke_order for row in rows] == list(range(1, 401))
    assert len({row.client_id for row in rows}) == 400
    # The strokes of one batch stand together, in the order in which they were drawn.
    names = [row.client_id for row in rows]
    for start in range(0, 400, 5):
        writer_and_batch = names[start].rsplit("-", 1)[0]
        assert names[start : start + 5] == [f"{writer_and_batch}-{number}" for number in range(5)]


def test_the_same_stroke_from_eight_connections_at_once_is_one_row(lesson: Lesson, school: School) -> None:
    with ThreadPoolExecutor(8) as threads:
        results = list(threads.map(lambda _n: lesson.draw(school.tutor, "a"), range(8)))
    assert len(lesson.rows()) == 1
    assert all(result == results[0] for result in results)


@pytest.mark.parametrize(
    ("granted", "stroke_type", "allowed"),
    [
        ({}, "pen", False),
        ({"can_draw": True}, "pen", True),
        ({"can_draw": True}, "triangle", True),
        ({"can_draw": True}, "text", False),
        ({"can_draw": True}, "eraser", False),
        ({"can_write": True}, "text", True),
        ({"can_erase": True}, "eraser", True),
    ],
)
def test_a_student_draws_what_was_granted(
    lesson: Lesson, school: School, granted: dict[str, bool], stroke_type: str, allowed: bool
) -> None:
    lesson.grant(**granted)
    if allowed:
        lesson.draw(school.student, "a", stroke_type=stroke_type)
    else:
        with pytest.raises(Forbidden):
            lesson.draw(school.student, "a", stroke_type=stroke_type)
    assert len(lesson.rows()) == allowed


def test_others_do_not_draw(lesson: Lesson, school: School) -> None:
    lesson.grant(can_draw=True)
    for caller, raised in (
        (school.parent, Forbidden),
        (Operator(3, frozenset()), Forbidden),
        (school.other_tutor, NotFound),
        (school.other_student, NotFound),
    ):
        with pytest.raises(raised):
            lesson.draw(caller, "a")
    assert lesson.rows() == []


def test_one_bad_stroke_is_refused_by_itself(lesson: Lesson, school: School) -> None:
    strokes = [NewStroke("a", "pen", {}), NewStroke("b", "pen", {"points": [{"x": 1, "y": 2}]})]
    for _ in range(2):
        with lesson.database.transaction() as session:
            appended = append_strokes(session, school.tutor, lesson.page_id, strokes)
        assert [stroke.client_id for stroke in appended.placed] == ["b"]
        assert appended.refused == {0: "Stroke a: stroke_data has no points."}
    assert [(row.client_id, row.stroke_data) for row in lesson.rows()] == [("b", {"points": [[1, 2]]})]


def test_short_paths_of_many_points_fill_no_memory(lesson: Lesson, school: School) -> None:
    """Half a megabyte of arcs is more than a million points."""
    arcs = {"path": "M0 0" + "a9 9 0 011 1" * 600}
    strokes = [NewStroke(str(number), "pen", arcs) for number in range(70)]
    with lesson.database.transaction() as session:
        appended = append_strokes(session, school.tutor, lesson.page_id, strokes, BoardBounds(page=0, session=0))
    points = 1 + 600 * 32
    placed = MAX_POINTS_OF_A_BATCH // points + 1
    assert [stroke.client_id for stroke in appended.placed] == [str(number) for number in range(placed)]
    assert [*appended.refused] == [*range(placed, 70)]
    assert appended.refused[placed] == (
        f"Stroke {placed}: the strokes before it have {placed * points} points; send it in another request."
    )


def test_a_stroke_without_the_right_to_it_is_refused_by_itself(lesson: Lesson, school: School) -> None:
    lesson.grant(can_draw=True)
    points = {"points": [[1, 2], [3, 4]]}
    strokes = [NewStroke("a", "eraser", points), NewStroke("b", "pen", points)]
    with lesson.database.transaction() as session:
        appended = append_strokes(session, school.student, lesson.page_id, strokes)
    assert [*appended.refused] == [0]
    assert "can_erase" in appended.refused[0]
    with lesson.database.transaction() as session, pytest.raises(Forbidden):
        append_strokes(session, school.student, lesson.page_id, [strokes[0], NewStroke("c", "eraser", {})])
    assert [row.client_id for row in lesson.rows()] == ["b"]


def test_late_strokes_of_a_completed_session_are_kept_but_not_of_a_cancelled_one(
    lesson: Lesson, school: School
) -> None:
    _set_status(lesson, "completed")
    lesson.draw(school.tutor, "late")
    _set_status(lesson, "cancelled")
    with pytest.raises(Conflict):
        lesson.draw(school.tutor, "later")


def test_a_page_has_an_end(lesson: Lesson, school: School) -> None:
    lesson.draw(school.tutor, "a")
    with lesson.database.transaction() as session:
        session.execute(
            text("UPDATE whiteboard_canvas_data SET stroke_order = :most"), {"most": MAX_STROKES_OF_A_PAGE - 1}
        )
    lesson.draw(school.tutor, "b")
    with pytest.raises(Conflict, match="add a page"):
        lesson.draw(school.tutor, "c")
    assert lesson.draw(school.tutor, "a", "b")


def test_taking_back(lesson: Lesson, school: School) -> None:
    lesson.grant(can_draw=True)
    lesson.draw(school.tutor, "tutor's")
    lesson.draw(school.student, "student's", "another")
    _delete(lesson, school.student, "student's")
    with pytest.raises(Forbidden):
        _delete(lesson, school.student, "tutor's")
    with pytest.raises(NotFound):
        _delete(lesson, school.tutor, "nobody's")
    with pytest.raises(NotFound):
        _delete(lesson, school.other_tutor, "tutor's")
    first = [(row.client_id, row.deleted_at) for row in lesson.rows() if row.is_deleted]
    _delete(lesson, school.student, "student's")
    assert [(row.client_id, row.deleted_at) for row in lesson.rows() if row.is_deleted] == first
    _delete(lesson, school.tutor, "another")
    assert [row.client_id for row in lesson.rows() if not row.is_deleted] == ["tutor's"]


def test_of_undo_and_clear_at_once_the_first_sets_the_time(lesson: Lesson, school: School) -> None:
    lesson.draw(school.tutor, "a")
    with ThreadPoolExecutor(1) as other:
        with lesson.database.transaction() as session:
            clear_page(session, school.tutor, lesson.page_id)
            undo = other.submit(_delete, lesson, school.tutor, "a")
            # It waits for the row, which it has seen as not deleted.
            time.sleep(0.2)
            cleared_at = session.scalar(text("SELECT deleted_at FROM whiteboard_canvas_data"))
        undo.result()
    assert [row.deleted_at for row in lesson.rows()] == [cleared_at]


def test_what_was_taken_back_stays_so_when_it_is_sent_again(lesson: Lesson, school: School) -> None:
    lesson.draw(school.tutor, "a")
    _delete(lesson, school.tutor, "a")
    lesson.draw(school.tutor, "a", "b")
    assert [(row.client_id, row.is_deleted, row.stroke_order) for row in lesson.rows()] == [
        ("a", True, 1),
        ("b", False, 2),
    ]


def test_a_cleared_page_keeps_its_strokes_and_its_count(lesson: Lesson, school: School) -> None:
    lesson.draw(school.tutor, "a", "b")
    with lesson.database.transaction() as session:
        assert clear_page(session, school.tutor, lesson.page_id) == 2
        assert clear_page(session, school.tutor, lesson.page_id) == 0
    lesson.draw(school.tutor, "c")
    assert [(row.client_id, row.stroke_order, row.is_deleted) for row in lesson.rows()] == [
        ("a", 1, True),
        ("b", 2, True),
        ("c", 3, False),
    ]
    assert all((row.deleted_at is not None) == row.is_deleted for row in lesson.rows())


def _delete(lesson: Lesson, caller: Any, client_id: str) -> None:
    with lesson.database.transaction() as session:
        delete_stroke(session, caller, lesson.page_id, client_id)


def _set_status(lesson: Lesson, status: str) -> None:
    with lesson.database.transaction() as session:
        session.execute(text("UPDATE whiteboard_sessions SET status = :status"), {"status": status})
