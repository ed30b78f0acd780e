"""Old pictures of boards: replaced by newer ones, or of pages and sessions that are gone."""

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from models.jobs import Job
from models.states import JOB_LIVE
from worker.canvases.snapshots.names import FOLDER, SnapshotTarget, target_of
from worker.canvases.snapshots.rows import named_snapshots
from worker.jobs.job_run import JobRun
from worker.jobs.orders import SnapshotPage, SnapshotSession
from worker.workflows.context import WorkerContext

# Objects that are looked up in one query: a running lesson leaves some every few minutes.
_BATCH = 500


def sweep_snapshots(run: JobRun, tools: WorkerContext, oldest: datetime) -> int:
    """Remove objects older than `oldest` that no row names; returns how many."""
    listed = ((stored.name, target_of(stored.name), stored.uploaded_at) for stored in tools.store.list(FOLDER))
    old = ((name, place) for name, place, uploaded_at in listed if place is not None and uploaded_at <= oldest)
    removed = 0
    while batch := dict(islice(old, _BATCH)):
        removed += sum(_remove(tools, name, batch[name]) for name in _unnamed(run, tools, batch))
    return removed


def _unnamed(run: JobRun, tools: WorkerContext, batch: dict[str, SnapshotTarget]) -> Iterator[str]:
    with tools.database.transaction() as session:
        named = named_snapshots(session, batch.keys())
    for name in batch.keys() - named:
        run.check()
        yield name


def _remove(tools: WorkerContext, name: str, place: SnapshotTarget) -> bool:
    """Remove one object unless it is named or about to be: a board that looks as it did before has its old names."""
    with tools.database.transaction() as session:
        if _is_drawn_now(session, place) or named_snapshots(session, [name]):
            return False
    tools.store.delete(name)
    return True


def _is_drawn_now(session: Session, place: SnapshotTarget) -> bool:
    kinds = (SnapshotPage.kind, SnapshotSession.kind)
    subjects = (f"session:{place.session_id}", f"page:{place.page_id}")
    return bool(
        session.scalar(select(exists().where(Job.subject.in_(subjects), Job.kind.in_(kinds), Job.state.in_(JOB_LIVE))))
    )
