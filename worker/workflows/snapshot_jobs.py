"""The jobs that draw boards: order what changed, draw it, store it on B2, and then write the rows that name it.

What is stored stays when an attempt ends early: the next one finds it unchanged and continues behind it.
"""

from collections.abc import Callable, Sequence
from typing import Any

from sqlalchemy.orm import Session

from worker.batches import batches
from worker.canvases.snapshots.changes import ChangedBatch, changed_boards, changed_pages
from worker.canvases.snapshots.digest import page_states
from worker.canvases.snapshots.rows import confirm_snapshots, write_snapshots
from worker.jobs.enqueue import enqueue
from worker.jobs.job_run import JobRun
from worker.jobs.orders import Order, SnapshotPage, SnapshotSession
from worker.uploads.spool import full_disk_named
from worker.workflows.context import WorkerContext
from worker.workflows.draw_board import DrawContext, Pictured, picture_board, picture_page

# A job's result names so many strokes that are not drawn as they are stored; the others are only counted.
MOST_NAMED = 20
# Digests of so many pages are taken in one statement.
_BATCH = 100


def snapshot_page(run: JobRun, order: SnapshotPage, tools: WorkerContext) -> None:
    """Draw the page, unless its pictures show it as it is; of one that was deleted nothing is kept."""
    with full_disk_named(), tools.spool.workspace(run.claim.job_id) as folder:
        made = picture_page(DrawContext(run, tools, folder), order.page_id)
    run.check()
    state = "gone" if made is None else "drawn" if made.files else "unchanged"
    with run.finish({"page_id": order.page_id, "state": state, "skipped": _named([made] if made else [])}) as session:
        if made is not None:
            _keep(session, made)


def snapshot_session(run: JobRun, order: SnapshotSession, tools: WorkerContext) -> None:
    """Draw every page that changed and then, if anything did, the document of all. Pages are kept one by one."""
    with full_disk_named(), tools.spool.workspace(run.claim.job_id) as folder:
        bench = DrawContext(run, tools, folder)
        made = _snapshot_pages(bench, order.session_id)
        document = picture_board(bench, order.session_id)
    run.check()
    drawn = sum(bool(one.files) for one in made)
    result = {
        "session_id": order.session_id,
        "pages": len(made),
        "drawn": drawn,
        "unchanged": len(made) - drawn,
        "document": "none" if document is None else "drawn" if document.files else "unchanged",
        "skipped": _named(made),
    }
    with run.finish(result) as session:
        if document is not None:
            _keep(session, document)


def _snapshot_pages(bench: DrawContext, session_id: int) -> list[Pictured]:
    with bench.tools.database.transaction() as session:
        pages = page_states(session, session_id)
    made = []
    for number, page in enumerate(pages):
        bench.run.progress(80 * number / len(pages), f"page {number + 1} of {len(pages)}")
        pictured = picture_page(bench, page.page_id)
        if pictured is not None:
            with bench.tools.database.transaction() as session:
                _keep(session, pictured)
            made.append(pictured)
    return made


def _keep(session: Session, made: Pictured) -> None:
    if made.files:
        write_snapshots(session, made.place, made.taken, made.files)
    else:
        confirm_snapshots(session, made.place, made.taken.digest, made.taken.read_at)


def _named(made: Sequence[Pictured]) -> dict[str, Any]:
    skipped = [(one.place.page_id, stroke) for one in made for stroke in one.skipped]
    strokes = [
        {"page_id": page_id, "order": stroke.order, "reason": stroke.reason} for page_id, stroke in skipped[:MOST_NAMED]
    ]
    return {"count": len(skipped), "strokes": strokes}


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
