"""The board of a recording without a file is drawn, and is what its playback shows."""

import hashlib
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import skia
from pypdf import PdfReader

from models.recordings import Recording
from tests.conftest import Sql
from tests.workflows.platform_import.conftest import Import, stored
from worker.errors import Conflict
from worker.jobs.orders.board_orders import DrawRecordingBoard
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.recordings.outputs.playback import PlaybackPlan, plan_playback
from worker.workflows.context import WorkerContext
from worker.workflows.platform_import.boards.draw_recording import draw_recording
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS


def _draw_all(context: WorkerContext, sql: Sql) -> list[Any]:
    """Perform the orders that wait, as a worker does; their results."""
    waiting = "SELECT id FROM jobs WHERE kind = :kind AND state IN ('queued', 'published') ORDER BY id"
    ids = [row.id for row in sql(waiting, kind=DrawRecordingBoard.kind)]
    performer = Performer(context.database, "test", LeaseTiming(30, 10, 0.02), 0.01, FAILURE_HOOKS)
    for job_id in ids:
        with suppress(JobNotDone):
            performer.perform(job_id, lambda run, order: draw_recording(run, order, context))
    jobs = {row.id: row for row in sql("SELECT * FROM jobs")}
    assert [jobs[job_id].error for job_id in ids] == [None] * len(ids)
    return [jobs[job_id].result for job_id in ids]


def _recording_id(sql: Sql, platform_id: int) -> int:
    [(recording_id,)] = sql(
        "SELECT id FROM platform_links WHERE kind = 'recording' AND platform_id = :id", id=platform_id
    )
    return int(recording_id)


def _plan(context: WorkerContext, recording_id: int) -> PlaybackPlan:
    with context.database.transaction() as session:
        return plan_playback(session, session.get_one(Recording, recording_id))


def _file(context: WorkerContext, row: Any, folder: Path) -> Path:
    path = folder / hashlib.sha256(row.object_name.encode()).hexdigest()
    context.store.download(row.object_name, path, sha1=row.sha1)
    return path


def test_it_is_drawn_and_shown_in_place_of_the_recording(
    run_import: Import, context: WorkerContext, sql: Sql, tmp_path: Path
) -> None:
    run_import()
    recording_id = _recording_id(sql, 152)
    with pytest.raises(Conflict, match="it has no file, and no board that is drawn"):
        _plan(context, recording_id)

    results = _draw_all(context, sql)

    # The second page of 152 has a stroke of nulls: it is empty.
    assert {result["state"] for result in results} == {"drawn"}
    assert {"recording_id": recording_id, "state": "drawn", "pages": 2, "skipped": 0} in results
    plan = _plan(context, recording_id)
    [document] = plan.renditions
    assert (document.name, document.mime, document.state) == ("document", "application/pdf", "ready")
    assert document.object_name is not None
    reader = PdfReader(_file(context, document, tmp_path))
    assert len(reader.pages) == 2
    assert plan.poster is not None
    picture = skia.Image.open(str(_file(context, plan.poster, tmp_path)))
    assert (picture.width(), picture.height()) == (plan.poster.width, plan.poster.height)
    # From (5, 6) to (19, 31).
    darkest = picture.toarray(colorType=skia.kRGBA_8888_ColorType)[6:32, 5:20, :3].min()
    assert darkest < 200
    [(is_available,)] = sql("SELECT is_available FROM whiteboard_session_recordings WHERE id = :id", id=recording_id)
    assert is_available is False


def test_again_it_is_unchanged(run_import: Import, context: WorkerContext, sql: Sql) -> None:
    run_import()
    _draw_all(context, sql)
    before = stored(sql, "recording_renditions")
    sql("UPDATE platform_links SET digest = '' WHERE kind = 'recording'")
    sql("UPDATE platform_pulls SET signature = '' WHERE kind = 'recording'")

    run_import()

    assert {result["state"] for result in _draw_all(context, sql)} == {"unchanged"}
    assert stored(sql, "recording_renditions") == before


@pytest.mark.parametrize("board", [None, "[]", '"words"', '{"pages": []}'])
def test_without_a_board_nothing_is_drawn(
    run_import: Import, context: WorkerContext, sql: Sql, board: str | None
) -> None:
    run_import()
    sql("UPDATE whiteboard_session_recordings SET board_snapshot = CAST(:board AS jsonb)", board=board)

    assert {result["state"] for result in _draw_all(context, sql)} == {"nothing"}
    assert sql("SELECT name FROM recording_renditions") == []
