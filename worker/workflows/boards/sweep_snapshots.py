"""Remove pictures of boards that no row names any more."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from worker.canvases.snapshots.names import FOLDER as SNAPSHOTS
from worker.canvases.snapshots.names import SnapshotTarget, target_of
from worker.canvases.snapshots.rows import named_snapshots
from worker.jobs.operations.subject_jobs import live_jobs
from worker.jobs.orders.board_orders import SnapshotPage, SnapshotSession
from worker.jobs.runs.job_run import JobRun
from worker.workflows.context import WorkerContext

# How many objects one query looks up.
_NAMES = 500


def sweep_snapshots(run: JobRun, context: WorkerContext, oldest: datetime) -> int:
    """Remove objects older than `oldest` that no row names; returns how many."""
    listed = ((stored.name, target_of(stored.name), stored.uploaded_at) for stored in context.store.list(SNAPSHOTS))
    old = ((name, target) for name, target, uploaded_at in listed if target is not None and uploaded_at <= oldest)
    removed = 0
    while batch := dict(islice(old, _NAMES)):
        removed += sum(_remove(context, name, batch[name]) for name in _unnamed(run, context, batch))
    return removed


def _unnamed(run: JobRun, context: WorkerContext, batch: dict[str, SnapshotTarget]) -> Iterator[str]:
    with context.database.transaction() as session:
        named = named_snapshots(session, batch.keys())
    for name in batch.keys() - named:
        run.check()
        yield name


def _remove(context: WorkerContext, name: str, target: SnapshotTarget) -> bool:
    """Remove one object unless it is or will be named: a board that looks as before gets its old names again."""
    with context.database.transaction() as session:
        if _is_drawn_now(session, target) or named_snapshots(session, [name]):
            return False
    context.store.delete(name)
    return True


def _is_drawn_now(session: Session, target: SnapshotTarget) -> bool:
    kinds = {SnapshotPage.kind, SnapshotSession.kind}
    live = live_jobs(session, [f"session:{target.session_id}", f"page:{target.page_id}"])
    return not kinds.isdisjoint(live.values())
