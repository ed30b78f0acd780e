"""Upkeep: delete expired rows and orphaned files."""

from worker.jobs.orders.routine_orders import (
    CheckQueue,
    PruneLedger,
    PullPlatform,
    SweepObjects,
    SweepPeople,
    SweepSpool,
)
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import performs
from worker.workflows.context import WorkerContext
from worker.workflows.operations import sweep
from worker.workflows.people import sweep_people
from worker.workflows.platform_import import pull
from worker.workflows.uploads import sweep_spool


@performs(PruneLedger)
def prune_ledger(run: JobRun, context: WorkerContext) -> None:
    """Delete jobs and idempotency keys past their retention."""
    sweep.prune_ledger(run, context)


@performs(SweepObjects)
def sweep_objects(run: JobRun, context: WorkerContext) -> None:
    """Delete objects that no row names."""
    sweep.sweep_objects(run, context)


@performs(SweepSpool)
def sweep_spool_files(run: JobRun, context: WorkerContext) -> None:
    """Delete spool files that no row names."""
    sweep_spool.sweep_spool(run, context)


@performs(SweepPeople)
def sweep_people_of_platform(run: JobRun, context: WorkerContext) -> None:
    """Compare people with the platform, and store what has changed there."""
    sweep_people.sweep_people(run, context)


@performs(PullPlatform)
def pull_platform(run: JobRun, context: WorkerContext) -> None:
    """Import rows that are new, changed or gone on the platform."""
    pull.pull_platform(run, context)


@performs(CheckQueue)
def check_queue(run: JobRun, context: WorkerContext) -> None:
    """Do nothing: that it ends is the whole check."""
