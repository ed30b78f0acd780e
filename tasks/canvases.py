"""Boards: pictures of pages, documents and films of sessions."""

from worker.jobs.orders.board_orders import (
    DrawRecordingBoard,
    ReplayBoard,
    SnapshotChanged,
    SnapshotPage,
    SnapshotSession,
)
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import performs
from worker.workflows.boards import snapshot_jobs
from worker.workflows.context import WorkerContext
from worker.workflows.films import replay_board
from worker.workflows.platform_import.boards import draw_recording as recording_boards


@performs(SnapshotPage)
def snapshot_page(run: JobRun, order: SnapshotPage, context: WorkerContext) -> None:
    """Draw PNG, thumbnail and SVG of a page."""
    snapshot_jobs.snapshot_page(run, order, context)


@performs(SnapshotSession)
def snapshot_session(run: JobRun, order: SnapshotSession, context: WorkerContext) -> None:
    """Draw every page that changed, and the document of all pages."""
    snapshot_jobs.snapshot_session(run, order, context)


@performs(SnapshotChanged)
def snapshot_what_changed(run: JobRun, context: WorkerContext) -> None:
    """Order pictures of changed pages in running sessions."""
    snapshot_jobs.snapshot_changed(run, context)


@performs(ReplayBoard)
def replay(run: JobRun, order: ReplayBoard, context: WorkerContext) -> None:
    """Make the film of a board, and the JSON from which a web page plays it."""
    replay_board.replay_board(run, order, context)


@performs(DrawRecordingBoard)
def draw_recording(run: JobRun, order: DrawRecordingBoard, context: WorkerContext) -> None:
    """Draw the board of a recording without a file: a document, and its poster."""
    recording_boards.draw_recording(run, order, context)
