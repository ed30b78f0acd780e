"""Order pictures of what changed: pages of running sessions, and boards to which something came late."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from worker.canvases.snapshots.changes import ChangedBatch, changed_boards, changed_pages
from worker.jobs.enqueue import enqueue
from worker.jobs.job_run import JobRun
from worker.jobs.orders import Order, SnapshotPage, SnapshotSession
from worker.workflows.context import WorkerContext

# Digests of so many pages are taken in one statement.
_BATCH = 100


def snapshot_changed(run: JobRun, tools: WorkerContext) -> None:
    """Safe to run at any time, late, and twice at once: of orders for one page or board only one is live."""
    pages = _order(run, tools, changed_pages, SnapshotPage)
    boards = _order(run, tools, changed_boards, SnapshotSession)
    with run.finish({"pages": pages, "sessions": boards}):
        pass


def _order(run: JobRun, tools: WorkerContext, look: Callable[..., ChangedBatch], order: Callable[[int], Order]) -> int:
    total = 0
    after: int | None = 0
    while after is not None:
        run.check()
        with tools.database.transaction() as session:
            found = look(session, after=after, most=_BATCH)
            _enqueue(session, [order(row_id) for row_id in found.ids])
        total, after = total + len(found.ids), found.last
    return total


def _enqueue(session: Session, orders: list[Order]) -> None:
    for one in orders:
        enqueue(session, one, principal="beat")
