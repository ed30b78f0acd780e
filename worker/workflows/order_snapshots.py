"""Order pictures of what changed: pages of running sessions, and boards to which something came late."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from worker.batches import batches
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
    run.succeed({"pages": pages, "sessions": boards})


def _order(run: JobRun, tools: WorkerContext, look: Callable[..., ChangedBatch], order: Callable[[int], Order]) -> int:
    def order_batch(session: Session, after: int) -> tuple[int, int | None]:
        changed = look(session, after=after, most=_BATCH)
        for row_id in changed.ids:
            enqueue(session, order(row_id), principal="beat")
        return len(changed.ids), changed.last

    return sum(batches(tools.database, order_batch, check=run.check))
