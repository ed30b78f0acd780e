"""Both sides of a lesson at once: one session, its strokes, what is undone and cleared, pages, permissions, the end."""

from tests.conftest import Sql
from tests.script_tag.conftest import Lesson
from tests.waiting import wait_for

STROKE_NAMES = "whiteboardManager.currentPage.strokes.map((stroke) => stroke.client_id)"
LINE = ((20, 20), (60, 60), (90, 30))


def test_both_sides_are_one_session_that_the_tutor_leads(lesson: Lesson, sql: Sql) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    lesson.call(student, tutor)
    tutor.draw(*LINE)
    tutor.send()
    student.send()
    assert len(lesson.platform.sessions) == 2
    (session,) = sql("SELECT host_profile_type, host_profile_id, status FROM whiteboard_sessions")
    assert session == ("tutor", 14, "in_progress")
    assert sql("SELECT profile_type FROM whiteboard_events WHERE kind = 'join' ORDER BY 1") == [
        ("student",),
        ("tutor",),
    ]
    assert sql("SELECT profile_type, stroke_type FROM whiteboard_canvas_data") == [("tutor", "pen")]
    assert (tutor.errors, student.errors) == ([], [])


def test_strokes_of_both_sides_are_kept_with_their_times(lesson: Lesson, sql: Sql) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    lesson.call(tutor, student)
    tutor.press("#toggleAllInteraction")
    tutor.draw(*LINE)
    tutor.press("[data-tool=arrow]")
    tutor.draw(*LINE)
    tutor.send()
    student.draw((200, 20), (240, 60))
    student.send()
    rows = sql(
        "SELECT profile_type, stroke_type, started_at <= ended_at AND ended_at <= now() + interval '5 seconds',"
        " ended_at > now() - interval '10 minutes' FROM whiteboard_canvas_data ORDER BY stroke_order"
    )
    assert rows == [("tutor", "pen", True, True), ("tutor", "arrow", True, True), ("student", "pen", True, True)]
    # The messages to the other side carry the names. A page sends one when the platform has stored the stroke, so they
    # come later, and two may overtake each other.
    names = [row.client_id for row in sql("SELECT client_id FROM whiteboard_canvas_data ORDER BY stroke_order")]
    wait_for(lambda: tutor.run(STROKE_NAMES) == names, details=lambda: (names, tutor.run(STROKE_NAMES)))
    wait_for(lambda: sorted(student.run(STROKE_NAMES)) == sorted(names), details=lambda: student.run(STROKE_NAMES))
    assert (tutor.errors, student.errors) == ([], [])


def test_what_is_undone_and_cleared_is_so_at_the_worker(lesson: Lesson, sql: Sql) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    lesson.call(tutor, student)
    for _ in range(3):
        tutor.draw(*LINE)
    student.wait("whiteboardManager.currentPage.strokes.length === 3")
    tutor.press("#undoBtn")
    student.wait("whiteboardManager.currentPage.strokes.length === 2")
    tutor.send()
    deleted = "SELECT is_deleted FROM whiteboard_canvas_data ORDER BY stroke_order"
    # The other side ran the undo too, and did not undo another stroke.
    student.send()
    assert [row.is_deleted for row in sql(deleted)] == [False, False, True]
    tutor.press("#clearBtn")
    tutor.draw(*LINE)
    tutor.send()
    assert [row.is_deleted for row in sql(deleted)] == [True, True, True, False]


def test_a_student_who_may_undoes_and_clears_at_the_worker_too(lesson: Lesson, sql: Sql) -> None:
    """Whoever called may on the platform's page; at the worker who opened the board, and who was given the right."""
    tutor, student = lesson.tutor(), lesson.student()
    lesson.call(student, tutor)
    tutor.press("#toggleAllInteraction")
    for number in (1, 2):
        tutor.draw(*LINE)
        student.wait(f"whiteboardManager.currentPage.strokes.length === {number}")
    tutor.send()
    student.press("#undoBtn")
    student.send()
    deleted = "SELECT is_deleted FROM whiteboard_canvas_data ORDER BY stroke_order"
    assert [row.is_deleted for row in sql(deleted)] == [False, True]
    student.press("#clearBtn")
    student.send()
    tutor.wait("whiteboardManager.currentPage.strokes.length === 0")
    assert [row.is_deleted for row in sql(deleted)] == [True, True]
    assert (tutor.errors, student.errors) == ([], [])


def test_pages_are_added_and_turned_on_both_sides(lesson: Lesson, sql: Sql) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    lesson.call(tutor, student)
    tutor.press("#toggleAllInteraction")
    tutor.draw(*LINE)
    tutor.send()
    tutor.press("#addPageBtn")
    for side in (tutor, student):
        side.wait("whiteboardManager.pages.indexOf(whiteboardManager.currentPage) === 1")
    tutor.draw(*LINE)
    student.draw((200, 20), (240, 60))
    tutor.send()
    student.send()
    shown = "SELECT page_number FROM whiteboard_pages WHERE is_active"
    assert [row.page_number for row in sql(shown)] == [2]
    tutor.wait("!whiteboardManager.isFlipping")
    tutor.press("#prevPageBtn")
    tutor.wait("whiteboardManager.pages.indexOf(whiteboardManager.currentPage) === 0")
    tutor.send()
    assert [row.page_number for row in sql(shown)] == [1]
    strokes = sql(
        "SELECT page_number, profile_type FROM whiteboard_canvas_data JOIN whiteboard_pages p ON p.id = page_id"
        " ORDER BY 1, 2"
    )
    assert strokes == [(1, "tutor"), (2, "student"), (2, "tutor")]


def test_the_end_of_the_call_ends_the_session(lesson: Lesson, sql: Sql) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    lesson.call(tutor, student)
    tutor.draw(*LINE)
    tutor.send()
    student.send()
    tutor.press("#startVideoSessionBtn")
    wait_for(lambda: [row.status for row in sql("SELECT status FROM whiteboard_sessions")] == ["completed"])
    events = "SELECT kind FROM whiteboard_events WHERE profile_type = 'student' ORDER BY id"
    wait_for(lambda: [row.kind for row in sql(events)] == ["join", "leave"], details=lambda: sql(events))
    # The next call is another session of the platform, and of the worker.
    tutor.run("whiteboardManager.setOtherParty(11, 'student')")
    lesson.call(tutor, student)
    tutor.send()
    assert [row.status for row in sql("SELECT status FROM whiteboard_sessions ORDER BY id")] == [
        "completed",
        "in_progress",
    ]


def test_a_board_that_is_opened_twice_does_nothing_twice(lesson: Lesson, sql: Sql) -> None:
    tutor = lesson.tutor("alone")
    tutor.run("openWhiteboardModal().then(() => 0)")
    tutor.run("whiteboardManager.setOtherParty(11, 'student')")
    tutor.call_alone()
    tutor.draw(*LINE)
    tutor.draw(*LINE)
    tutor.press("#undoBtn")
    tutor.press("#addPageBtn")
    tutor.wait("whiteboardManager.pages.length > 1 && !whiteboardManager.isFlipping")
    tutor.send()
    (stroke, undone) = sql("SELECT stroke_data, is_deleted FROM whiteboard_canvas_data ORDER BY stroke_order")
    assert len(stroke.stroke_data["points"]) == len(LINE)
    assert (stroke.is_deleted, undone.is_deleted) == (False, True)
    assert [row.page_number for row in sql("SELECT page_number FROM whiteboard_pages ORDER BY 1")] == [1, 2]
    assert len(lesson.platform.sessions) == 1
