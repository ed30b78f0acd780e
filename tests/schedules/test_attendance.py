"""Whether a lesson was held."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from tests.conftest import School
from worker.database import Database
from worker.schedules.attendance import Presence, attendance, attendances

TUTOR, FIRST, SECOND = ("tutor", 11), ("student", 22), ("student", 25)


@pytest.mark.parametrize(
    ("there", "expected"),
    [
        (None, "unknown"),
        (set(), "missed"),
        ({TUTOR}, "missed"),
        ({FIRST}, "missed"),
        ({FIRST, SECOND}, "missed"),
        ({TUTOR, FIRST}, "held"),
        ({TUTOR, SECOND}, "held"),
        ({TUTOR, FIRST, SECOND}, "held"),
        # Another tutor, a parent, a student of another tutor; and ids that exist under another type only.
        ({("tutor", 14), FIRST}, "missed"),
        ({TUTOR, ("parent", 33)}, "missed"),
        ({TUTOR, ("student", 99)}, "missed"),
        ({("student", 11), ("tutor", 22)}, "missed"),
        ({TUTOR, ("parent", 22)}, "missed"),
    ],
)
def test_the_tutor_and_one_of_the_students_make_a_lesson(there: set[tuple[str, int]] | None, expected: str) -> None:
    presence = Presence(11, frozenset({22, 25}), None if there is None else frozenset(there))
    assert attendance(presence) == expected


@pytest.fixture
def board(database: Database, school: School) -> Callable[..., int]:
    """`board((kind, type, id), …)`: a lesson of both students and its whiteboard session with these events."""

    def make(*events: tuple[str, str, int], status: str = "in_progress", boards: int = 1) -> int:
        with database.transaction() as session:
            schedule_id = session.scalar(
                text(
                    "INSERT INTO tutor_schedules (tutor_id, student_id, schedule_date, start_time, end_time, starts_at,"
                    " ends_at) SELECT 11, 22, '2026-02-02', '14:00', '15:00', at, at + interval '1 h' FROM (SELECT"
                    " timestamptz '2026-02-02 11:00Z' + count(*) * interval '1 h' AS at FROM tutor_schedules) free"
                    " RETURNING id"
                )
            )
            session.execute(
                text(
                    "INSERT INTO schedule_participants SELECT id, 25, NULL, starts_at, ends_at, status"
                    " FROM tutor_schedules WHERE id = :id"
                ),
                {"id": schedule_id},
            )
            for number in range(boards):
                session_id = session.scalar(
                    text("INSERT INTO whiteboard_sessions (schedule_id, status) VALUES (:id, :status) RETURNING id"),
                    {"id": schedule_id, "status": status},
                )
                for kind, profile_type, profile_id in events[number::boards]:
                    session.execute(
                        text(
                            "INSERT INTO whiteboard_events (session_id, kind, profile_type, profile_id)"
                            " VALUES (:session, :kind, :type, :id)"
                        ),
                        {"session": session_id, "kind": kind, "type": profile_type, "id": profile_id},
                    )
        return int(schedule_id or 0)

    return make


def test_it_is_read_from_the_board(database: Database, board: Callable[..., int]) -> None:
    expected = {
        board(boards=0): "unknown",
        board(status="cancelled"): "unknown",
        board(("join", *TUTOR), ("join", *FIRST), status="cancelled"): "unknown",
        board(status="scheduled"): "missed",
        board(("join", *TUTOR), ("join", *FIRST)): "held",
        # The second student of a group, known as a participant only.
        board(("join", *TUTOR), ("join", *SECOND)): "held",
        # Whoever starts the board is there without joining it.
        board(("start", *TUTOR), ("join", *FIRST), ("end", *TUTOR)): "held",
        board(("start", *TUTOR), ("end", *TUTOR)): "missed",
        # Somebody who only goes has not come.
        board(("start", *TUTOR), ("leave", *FIRST)): "missed",
        board(("join", *TUTOR), ("join", *TUTOR)): "missed",
        board(("join", *TUTOR), ("join", "student", 99)): "missed",
        # The tutor on one board of the lesson, the student on another.
        board(("join", *TUTOR), ("join", *FIRST), boards=2): "held",
    }
    with database.transaction() as session:
        assert attendances(session, list(expected)) == expected
        assert attendances(session, []) == {}
