"""Metrics of uploads in pieces."""

import os
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from tests.conftest import School
from worker.database import Database
from worker.uploads.metrics import UploadMetrics, upload_metrics
from worker.uploads.upload_file import UploadFile

_ROW = text(
    "INSERT INTO uploads (id, principal, session_id, spool_id, reserved, state, created_at, updated_at) VALUES"
    " (:id, 'user:1', :session_id, :spool_id, 100, :state, now() - interval '1 h', now() - interval '30 min')"
)
_SESSION = text(
    "INSERT INTO whiteboard_sessions (host_profile_id, host_profile_type) VALUES (11, 'tutor') RETURNING id"
)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return tmp_path


def _read(database: Database, spool: Path) -> UploadMetrics:
    with database.transaction() as session:
        return upload_metrics(session, spool, "shared", abandoned_after=600)


def test_an_upload_is_overdue_from_the_time_at_which_it_counts_as_abandoned(
    database: Database, school: School, spool: Path
) -> None:
    with database.transaction() as session:
        session_id = session.scalar(_SESSION)
        for number, (state, spool_id) in enumerate(
            [("open", "shared"), ("recovered", "shared"), ("open", "another"), ("open", "shared")]
        ):
            values = {"id": f"{number:032x}", "session_id": session_id, "spool_id": spool_id, "state": state}
            session.execute(_ROW, values)
    files = [UploadFile(spool, f"{number:032x}") for number in range(4)]
    for file in (files[0], files[3]):
        file.create()

    fresh = _read(database, spool)
    assert (fresh.counts, fresh.reserved, fresh.overdue) == ({"open": 3, "recovered": 1}, 300, 0)

    idle_since = time.time() - 900
    os.utime(files[3].path, (idle_since, idle_since))
    assert 300 <= _read(database, spool).overdue < 360

    # One without its file counts from the last change of its row, 30 minutes ago.
    files[0].remove()
    assert 1200 <= _read(database, spool).overdue < 1260
