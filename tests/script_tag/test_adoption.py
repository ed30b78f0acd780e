"""A call that the worker reads from the platform: its people, both of its sessions, and their one board."""

from typing import Any

import pytest

from tests.conftest import Platform, Sql
from tests.script_tag.conftest import Lesson
from tests.script_tag.fake_platform import FakePlatform, Row
from tests.waiting import wait_for
from worker.database import Database

LINE = ((20, 20), (60, 60), (90, 30))


@pytest.fixture
def people(database: Database) -> None:
    """Nobody is here before their first request."""


@pytest.fixture
def more_settings(platform: Platform, fake_platform: FakePlatform) -> dict[str, Any]:
    """The platform's pages and its database are one platform: what they create is stored there."""

    def store(session: Row, page: Row) -> None:
        platform.owner.execute(
            "INSERT INTO whiteboard_sessions (id, session_title, status, host_profile_id, host_profile_type,"
            " participant_profile_ids, participant_profile_types) VALUES (%(id)s, %(session_title)s, %(status)s,"
            " %(host_profile_id)s, %(host_profile_type)s, %(participant_profile_ids)s, %(participant_profile_types)s)",
            session,
        )
        platform.owner.execute(
            "INSERT INTO whiteboard_pages (id, session_id, page_number, page_title, background_color, is_active)"
            " VALUES (%(id)s, %(session_id)s, %(page_number)s, %(page_title)s, %(background_color)s, true)",
            page,
        )

    fake_platform.on_session = store
    return {"platform_database_url": platform.url}


@pytest.mark.parametrize("caller", ["tutor", "student"])
def test_both_sessions_of_a_call_are_adopted_as_one(caller: str, lesson: Lesson, sql: Sql) -> None:
    tutor, student = lesson.tutor(), lesson.student()
    lesson.call(*((tutor, student) if caller == "tutor" else (student, tutor)))
    tutor.press("#toggleAllInteraction")
    tutor.draw(*LINE)
    tutor.send()
    student.draw((200, 20), (240, 60))
    student.send()
    (session,) = sql("SELECT host_profile_type, host_profile_id, status FROM whiteboard_sessions")
    assert session == ("tutor", 14, "in_progress")
    links = sql("SELECT platform_id FROM platform_links WHERE kind = 'board' ORDER BY 1")
    assert [row.platform_id for row in links] == sorted(lesson.platform.sessions) == [2001, 2002]
    strokes = sql("SELECT profile_type FROM whiteboard_canvas_data ORDER BY stroke_order")
    assert [row.profile_type for row in strokes] == ["tutor", "student"]
    # The platform's rows carry the names of the worker's strokes: an import knows them again.
    names = [row.client_id for row in sql("SELECT client_id FROM whiteboard_canvas_data ORDER BY stroke_order")]
    wait_for(lambda: [row["stroke_data"]["client_id"] for row in lesson.platform.strokes] == names)
    assert (tutor.errors, student.errors) == ([], [])


def test_a_student_who_called_may_record(lesson: Lesson, sql: Sql) -> None:
    student = lesson.student("alone")
    student.call_alone()
    student.send()
    student.press("#recordBtn")
    student.press(".choice-btn[data-mode=system]")
    student.wait("whiteboardManager.recordedChunks.length > 2")
    student.press("#recordBtn")
    wait_for(lambda: sql("SELECT 1 FROM whiteboard_session_recordings"), details=lambda: student.run("logged"))
    assert sql("SELECT host_profile_type FROM whiteboard_sessions") == [("tutor",)]
