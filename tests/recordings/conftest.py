"""Recordings as rows: a whiteboard session, and uploaded bytes."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text

from tests.conftest import School
from worker.database import Database
from worker.recordings.ingest.register import NewRecording

SHA1 = "a" * 40


@pytest.fixture
def session_id(database: Database, school: School) -> int:
    """A whiteboard session of the school's booking."""
    with database.transaction() as session:
        statement = text("INSERT INTO whiteboard_sessions (booking_id) VALUES (:booking) RETURNING id")
        return int(session.scalar(statement, {"booking": school.booking_id}))


MakeRecording = Callable[..., NewRecording]


@pytest.fixture
def new(session_id: int) -> MakeRecording:
    """`new(**changes)`: an upload of the session's tutor."""

    def make(**changes: Any) -> NewRecording:
        values: dict[str, Any] = {
            "session_id": session_id,
            "title": "Lesson",
            "type": "video",
            "recorded_by": 1,
            "principal": "user:1",
            "spool_id": "shared",
            "spool_name": "0" * 32,
            "size_bytes": 5_000_000,
            "sha1": SHA1,
            "filename": "lesson.webm",
        }
        return NewRecording(**{**values, **changes})

    return make
