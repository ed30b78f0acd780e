"""The board that is stored with a recording: kept as it is, and loaded only on request."""

import io
import json

import pytest
from sqlalchemy import event, text

from tests.conftest import School, Sql
from worker.database import Database
from worker.recordings.reading import find_recording, list_recordings, write_kept_board

BOARD = {"pages": [{"page_id": 1, "strokes": [{"stroke_data": {"text": 'ምሳሌ 👩‍🏫 \\ " ', "x": 1.5}}] * 10_000}]}


@pytest.fixture
def recording_id(database: Database, school: School) -> int:
    with database.transaction() as session:
        session_id = session.execute(
            text("INSERT INTO whiteboard_sessions (booking_id) VALUES (:id) RETURNING id"), {"id": school.booking_id}
        ).scalar_one()
        return int(
            session.execute(
                text(
                    "INSERT INTO whiteboard_session_recordings (session_id, recording_type, board_snapshot)"
                    " VALUES (:id, 'board', CAST(:board AS jsonb)) RETURNING id"
                ),
                {"id": session_id, "board": json.dumps(BOARD)},
            ).scalar_one()
        )


def test_it_is_written_as_it_is_stored(database: Database, recording_id: int) -> None:
    out = io.BytesIO()
    with database.transaction() as session:
        write_kept_board(session, out, recording_id)
    assert json.loads(out.getvalue()) == BOARD
    assert len(out.getvalue()) > 500_000


def test_none_is_null(database: Database, recording_id: int, sql: Sql) -> None:
    sql("UPDATE whiteboard_session_recordings SET board_snapshot = NULL")
    out = io.BytesIO()
    with database.transaction() as session:
        write_kept_board(session, out, recording_id)
    assert out.getvalue() == b"null"


def test_lists_and_looks_do_not_load_it(database: Database, recording_id: int) -> None:
    statements: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    with database.transaction() as session:
        find_recording(session, recording_id, text("true"))  # type: ignore[arg-type]
        list_recordings(session, text("true"), session_id=None, before=None, limit=10)  # type: ignore[arg-type]
    assert len(statements) == 2
    assert not any("board_snapshot" in statement for statement in statements)
