"""Remove pictures of boards that no row names any more, and rows of pictures that are gone."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from sqlalchemy.orm import Session

from worker.canvases.snapshots.names import FOLDER as SNAPSHOTS
from worker.canvases.snapshots.names import SnapshotTarget, target_of
from worker.canvases.snapshots.rows import forget_snapshot, named_snapshots, names_after
from worker.jobs.operations.subject_jobs import live_jobs
from worker.jobs.orders.board_orders import SnapshotPage, SnapshotSession
from worker.jobs.runs.job_run import JobRun
from worker.workflows.context import WorkerContext

# How many objects one query looks up.
_NAMES = 500
# How many names of rows one query reads. It sorts all of them: no index is in this order.
_ROWS = 10_000


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


def forget_lost_snapshots(run: JobRun, context: WorkerContext) -> int:
    """Delete the rows whose objects B2 no longer has, so that they are drawn again; returns how many.

    After a restore, rows name the pictures of an older board, which were replaced and removed since the backup.
    """
    listed = (stored.name for stored in context.store.list(SNAPSHOTS))
    forgotten, stored = 0, next(listed, None)
    for name in _named(context):
        run.check()
        while stored is not None and stored < name:
            stored = next(listed, None)
        if stored != name and context.store.stat(name) is None:
            forgotten += _forget(context, name)
    return forgotten


def _named(context: WorkerContext) -> Iterator[str]:
    after = ""
    while True:
        with context.database.transaction() as session:
            names = names_after(session, after, most=_ROWS)
        yield from names
        if len(names) < _ROWS:
            return
        after = names[-1]


def _forget(context: WorkerContext, name: str) -> bool:
    target = target_of(name)
    with context.database.transaction() as session:
        if target is not None and _is_drawn_now(session, target):
            return False
        forget_snapshot(session, name)
    return True


def _is_drawn_now(session: Session, target: SnapshotTarget) -> bool:
    kinds = {SnapshotPage.kind, SnapshotSession.kind}
    live = live_jobs(session, [f"session:{target.session_id}", f"page:{target.page_id}"])
    return not kinds.isdisjoint(live.values())
