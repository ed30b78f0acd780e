"""Upkeep: delete expired rows and orphaned files."""

from worker.jobs.job_run import JobRun
from worker.jobs.orders import PruneLedger, SweepObjects, SweepPeople, SweepSpool
from worker.processes.child import performs
from worker.workflows import sweep, sweep_people
from worker.workflows.context import WorkerContext


@performs(PruneLedger)
def prune_ledger(run: JobRun, tools: WorkerContext) -> None:
    """Delete jobs and idempotency keys past their retention."""
    sweep.prune_ledger(run, tools)


@performs(SweepObjects)
def sweep_objects(run: JobRun, tools: WorkerContext) -> None:
    """Delete objects that no row names."""
    sweep.sweep_objects(run, tools)


@performs(SweepSpool)
def sweep_spool(run: JobRun, tools: WorkerContext) -> None:
    """Delete spool files that no row names."""
    sweep.sweep_spool(run, tools)


@performs(SweepPeople)
def sweep_people_of_platform(run: JobRun, tools: WorkerContext) -> None:
    """People who have changed or gone on the platform."""
    sweep_people.sweep_people(run, tools)
