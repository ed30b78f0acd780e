"""Upkeep: forget what is long over, sweep what nothing names."""

from worker.jobs.job_run import JobRun
from worker.jobs.orders import PruneLedger, SweepObjects, SweepSpool
from worker.processes.child import performs
from worker.workflows import sweep
from worker.workflows.context import WorkerContext


@performs(PruneLedger)
def prune_ledger(run: JobRun, tools: WorkerContext) -> None:
    """Jobs and idempotency keys past their retention."""
    sweep.prune_ledger(run, tools)


@performs(SweepObjects)
def sweep_objects(run: JobRun, tools: WorkerContext) -> None:
    """Objects that no row names."""
    sweep.sweep_objects(run, tools)


@performs(SweepSpool)
def sweep_spool(run: JobRun, tools: WorkerContext) -> None:
    """Spool files that no row names."""
    sweep.sweep_spool(run, tools)
