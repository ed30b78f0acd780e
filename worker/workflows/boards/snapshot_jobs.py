"""The jobs that draw boards: order what changed, draw it, store it on B2, and then write the rows that name it.

Stored files stay when an attempt ends early: the next attempt finds those pages unchanged and continues after them.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from worker.batches import batches
from worker.canvases.snapshots.changes import ChangedBatch, changed_boards, changed_pages
from worker.canvases.snapshots.digest import page_states
from worker.canvases.snapshots.rows import confirm_snapshots, write_snapshots
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import SnapshotPage, SnapshotSession
from worker.jobs.orders.order import Order
from worker.jobs.runs.job_run import JobRun
from worker.uploads.private_files import report_full_disk
from worker.workflows.boards.draw_board import DrawContext, DrawnSnapshot, draw_board, draw_page
from worker.workflows.context import WorkerContext

# A job's result lists this many strokes that could not be drawn as stored; the others are only counted.
MAX_NAMED = 20
# Pages whose digests are computed in one statement.
_BATCH = 100


def snapshot_page(run: JobRun, order: SnapshotPage, context: WorkerContext) -> None:
    """Draw the page unless its pictures are current; nothing is stored for a deleted page."""
    with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
        snapshot = draw_page(DrawContext(run, context, folder), order.page_id)
    run.check()
    state = "gone" if snapshot is None else "drawn" if snapshot.files else "unchanged"
    result = {"page_id": order.page_id, "state": state, "skipped": _named([snapshot] if snapshot else [])}
    with run.finish(result) as session:
        if snapshot is not None:
            _keep(session, snapshot)


def snapshot_session(run: JobRun, order: SnapshotSession, context: WorkerContext) -> None:
    """Draw every page that changed and then, if any did, the document of all pages. Pages are committed one by one."""
    with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
        drawing = DrawContext(run, context, folder)
        snapshots = _snapshot_pages(drawing, order.session_id)
        document = draw_board(drawing, order.session_id)
    run.check()
    drawn = sum(bool(snapshot.files) for snapshot in snapshots)
    result = {
        "session_id": order.session_id,
        "pages": len(snapshots),
        "drawn": drawn,
        "unchanged": len(snapshots) - drawn,
        "document": "none" if document is None else "drawn" if document.files else "unchanged",
        "skipped": _named(snapshots),
    }
    with run.finish(result) as session:
        if document is not None:
            _keep(session, document)


def _snapshot_pages(drawing: DrawContext, session_id: int) -> list[DrawnSnapshot]:
    with drawing.context.database.transaction() as session:
        pages = page_states(session, session_id)
    snapshots = []
    for number, page in enumerate(pages):
        drawing.run.progress(80 * number / len(pages), f"page {number + 1} of {len(pages)}")
        snapshot = draw_page(drawing, page.page_id)
        if snapshot is not None:
            with drawing.context.database.transaction() as session:
                _keep(session, snapshot)
            snapshots.append(snapshot)
    return snapshots


def _keep(session: Session, snapshot: DrawnSnapshot) -> None:
    if snapshot.files:
        write_snapshots(session, snapshot.target, snapshot.facts, snapshot.files)
    else:
        confirm_snapshots(session, snapshot.target, snapshot.facts.digest, snapshot.facts.read_at)


def _named(snapshots: Sequence[DrawnSnapshot]) -> dict[str, Any]:
    skipped = [(snapshot.target.page_id, stroke) for snapshot in snapshots for stroke in snapshot.skipped]
    strokes = [
        {"page_id": page_id, "order": stroke.order, "reason": stroke.reason} for page_id, stroke in skipped[:MAX_NAMED]
    ]
    return {"count": len(skipped), "strokes": strokes}


def snapshot_changed(run: JobRun, context: WorkerContext) -> None:
    """Order snapshots of what changed. Safe to run late and concurrently: one job per page or board can be live."""
    pages = _order(run, context, changed_pages, SnapshotPage)
    boards = _order(run, context, changed_boards, SnapshotSession)
    run.succeed({"pages": pages, "sessions": boards})


def _order(
    run: JobRun, context: WorkerContext, look: Callable[..., ChangedBatch], order: Callable[[int], Order]
) -> int:
    def order_batch(session: Session, after: int) -> tuple[int, int | None]:
        changed = look(session, after=after, most=_BATCH)
        for row_id in changed.ids:
            enqueue(session, order(row_id), principal="beat")
        return len(changed.ids), changed.last

    return sum(batches(context.database, order_batch, check=run.check))
