"""A lesson on the board, and the actions that tests need most."""

from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select, text

from models.whiteboards import WhiteboardPage
from tests.conftest import School
from worker.access.callers import Caller
from worker.database import Database
from worker.whiteboards.board import board_snapshot
from worker.whiteboards.sessions import Hosting, Participant, create_session
from worker.whiteboards.stroke_store import PlacedStroke, append_strokes
from worker.whiteboards.stroke_validation import NewStroke


class Lesson:
    """A session of the school's booking and its first page."""

    def __init__(self, database: Database, school: School) -> None:
        self.database = database
        self.school = school
        hosting = Hosting(Participant(11, "tutor"), [Participant(22, "student")], booking_id=school.booking_id)
        with database.transaction() as session:
            self.id = create_session(session, hosting, {}).id
            self.page_id = session.scalars(select(WhiteboardPage.id)).one()

    def grant(self, **permissions: bool) -> None:
        """Set what the student may do."""
        with self.database.transaction() as session:
            session.execute(
                text("UPDATE whiteboard_sessions SET student_permissions = CAST(:all AS jsonb)"),
                {"all": str(permissions).replace("'", '"').lower()},
            )

    def draw(self, caller: Caller, *client_ids: str, stroke_type: str = "pen", **data: Any) -> Sequence[PlacedStroke]:
        """Append strokes of one kind."""
        drawn = {"points": [[1, 2], [3, 4]], "text": "a", "x": 1, "y": 2} | data
        strokes = [NewStroke(client_id, stroke_type, drawn) for client_id in client_ids]
        with self.database.transaction() as session:
            return append_strokes(session, caller, self.page_id, strokes).placed

    def board(self) -> dict[str, Any]:
        with self.database.transaction() as session:
            return board_snapshot(session, self.id)

    def rows(self) -> list[Any]:
        """Every stored stroke, deleted ones too."""
        with self.database.transaction() as session:
            return list(session.execute(text("SELECT * FROM whiteboard_canvas_data ORDER BY stroke_order, id")))


@pytest.fixture
def lesson(database: Database, school: School) -> Lesson:
    return Lesson(database, school)
