"""Boards: pictures of pages, documents and films of sessions."""

from worker.jobs.orders import ReplayBoard, SnapshotChanged, SnapshotPage, SnapshotSession
from worker.jobs.run import JobRun
from worker.processes.child import performs
from worker.workflows import replay_board, snapshot_board, snapshot_changed
from worker.workflows.tools import Tools


@performs(SnapshotPage)
def snapshot_page(run: JobRun, order: SnapshotPage, tools: Tools) -> None:
    """PNG, thumbnail and SVG of a page."""
    snapshot_board.snapshot_page(run, order, tools)


@performs(SnapshotSession)
def snapshot_session(run: JobRun, order: SnapshotSession, tools: Tools) -> None:
    """Every page that changed, and the document of all."""
    snapshot_board.snapshot_session(run, order, tools)


@performs(SnapshotChanged)
def snapshot_what_changed(run: JobRun, order: SnapshotChanged, tools: Tools) -> None:  # noqa: ARG001 - the order says it all
    """Orders for pages of running sessions that changed."""
    snapshot_changed.snapshot_changed(run, tools)


@performs(ReplayBoard)
def replay(run: JobRun, order: ReplayBoard, tools: Tools) -> None:
    """The film of a board, and what a page needs to play it itself."""
    replay_board.replay_board(run, order, tools)
