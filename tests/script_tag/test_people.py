"""Whose token a request carries, and what of one person is never sent by another."""

import signal

from tests.conftest import Sql
from tests.script_tag.conftest import STUDENT, TUTOR, Lesson

LINE = ((20, 20), (60, 60), (90, 30))


def test_another_person_of_the_browser_sends_nothing_of_the_first(lesson: Lesson, sql: Sql) -> None:
    page = lesson.tutor("alone")
    page.call_alone()
    page.send()
    lesson.process.signal(signal.SIGSTOP)
    page.draw(*LINE)
    page.wait("astegni.pending().then((rest) => rest.length === 1)")
    page.run(f"localStorage.token = '{lesson.platform.token(STUDENT)}'")
    lesson.process.signal(signal.SIGCONT)
    page.send()
    assert sql("SELECT 1 FROM whiteboard_canvas_data") == []
    # After a login under the other name of the token, it is sent.
    page.run(f"delete localStorage.token; localStorage.access_token = '{lesson.platform.token(TUTOR)}'")
    page.send()
    assert sql("SELECT user_id, profile_type FROM whiteboard_canvas_data") == [(11, "tutor")]
    assert page.errors == []


def test_a_token_that_was_replaced_is_not_used_again(lesson: Lesson, sql: Sql) -> None:
    page = lesson.tutor("alone")
    page.call_alone()
    page.draw(*LINE)
    page.send()
    page.run("localStorage.token = 'of nobody'")
    page.draw(*LINE)
    page.run(f"localStorage.token = '{lesson.platform.token({**TUTOR, 'role': 'student'})}'")
    page.draw(*LINE)
    page.send()
    # Drawn while nobody was signed in: the platform keeps nothing of it either.
    assert len(sql("SELECT 1 FROM whiteboard_canvas_data")) == 2


def test_a_tutor_without_a_booking_keeps_their_board(lesson: Lesson, sql: Sql) -> None:
    sql("DELETE FROM tutor_student_bookings")
    page = lesson.tutor("alone")
    page.call_alone()
    page.draw(*LINE)
    page.send()
    assert sql("SELECT host_profile_id, participant_profile_ids FROM whiteboard_sessions") == [(14, [])]
    assert len(sql("SELECT 1 FROM whiteboard_canvas_data")) == 1
