"""Upkeep: remove objects and files that no row names, delete expired rows. Idempotent, safe to run at any time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from worker import clock
from worker.access.operator_accesses import prune_operator_accesses
from worker.batches import repeat_full
from worker.canvases.snapshots.names import FOLDER as SNAPSHOTS
from worker.jobs.actions import prune_actions
from worker.jobs.heartbeats import prune_heartbeats
from worker.jobs.prune import prune_idempotency_keys, prune_jobs, prune_routine_jobs
from worker.jobs.runs.job_run import JobRun
from worker.limits.counters import prune_counters
from worker.limits.lease_rows import prune_leases
from worker.recordings.objects.names import FOLDER, recording_id_of
from worker.recordings.outputs.renditions import drop_old_sources, is_named
from worker.recordings.shares import prune_shares
from worker.reminders.delivery.prune import prune_deliveries
from worker.reminders.prune_notifications import prune_notifications
from worker.storage.restores import require_sweeps_allowed
from worker.uploads.upload_upkeep import prune_uploads
from worker.workflows.boards.sweep_snapshots import forget_lost_snapshots, sweep_snapshots
from worker.workflows.context import WorkerContext
from worker.workflows.own_bucket import check_owner
from worker.workflows.recordings.remove_files import remove_unnamed

_BATCH = 5000


def prune_ledger(run: JobRun, context: WorkerContext) -> None:
    """Delete finished jobs, idempotency keys, messages, shares and records of operators past their retention."""
    settings = context.settings
    jobs = partial(prune_jobs, finished=settings.job_retention, dead=settings.dead_job_retention)
    by_name: dict[str, tuple[Callable[..., int], ...]] = {
        "jobs": (jobs, partial(prune_routine_jobs, age=settings.routine_job_retention)),
        "idempotency_keys": (partial(prune_idempotency_keys, age=settings.idempotency_retention),),
        "deliveries": (partial(prune_deliveries, age=settings.delivery_retention),),
        "notifications": (partial(prune_notifications, age=settings.notification_retention),),
        "uploads": (partial(prune_uploads, age=settings.job_retention),),
        "recording_shares": (partial(prune_shares, age=settings.job_retention),),
        "job_actions": (partial(prune_actions, age=settings.operator_access_retention),),
        "operator_accesses": (partial(prune_operator_accesses, age=settings.operator_access_retention),),
    }
    result = {
        name: sum(
            repeat_full(context.database, partial(each, most=_BATCH), most=_BATCH, check=run.check) for each in prunes
        )
        for name, prunes in by_name.items()
    }
    with context.database.transaction() as session:
        prune_heartbeats(session)
        prune_counters(session)
        prune_leases(session)
    run.succeed(result)


def sweep_objects(run: JobRun, context: WorkerContext) -> None:
    """Remove objects of recordings and boards that no row names, and unfinished large files, once ORPHAN_AGE old.

    Boards whose pictures are gone are drawn again: `forgotten` rows are deleted.
    The age protects running uploads, and pictures whose address was just handed out. Whether a row names an object is
    checked again before each removal.
    """
    # The owner was checked when this process first used the store; somebody may have taken over the bucket since.
    check_owner(context.store, context.database)
    require_sweeps_allowed(context.store, context.database)
    oldest = clock.now() - timedelta(seconds=context.settings.orphan_age)
    _drop_old_sources(context)
    removed = _sweep_recordings(run, context, oldest) + sweep_snapshots(run, context, oldest)
    forgotten = forget_lost_snapshots(run, context)
    unfinished = sum(context.store.cancel_unfinished(folder, older_than=oldest) for folder in (FOLDER, SNAPSHOTS))
    run.succeed({"objects": removed, "unfinished": unfinished, "forgotten": forgotten})


def _drop_old_sources(context: WorkerContext) -> None:
    """Delete the rows of uploaded bytes past KEEP_SOURCE_DAYS: no row names their objects then."""
    days = context.settings.keep_source_days
    if days:
        with context.database.transaction() as session:
            drop_old_sources(session, clock.now() - timedelta(days=days))


def _sweep_recordings(run: JobRun, context: WorkerContext, oldest: datetime) -> int:
    removed = 0
    for stored in context.store.list(FOLDER):
        run.check()
        recording_id = recording_id_of(stored.name)
        if recording_id is None or stored.uploaded_at > oldest or _is_named(context, stored.name):
            continue
        removed += remove_unnamed(recording_id, stored.name, context)
    return removed


def _is_named(context: WorkerContext, name: str) -> bool:
    with context.database.transaction() as session:
        return is_named(session, name)
