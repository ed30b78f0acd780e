"""Upkeep: forget what is long over, sweep what nothing names."""

from worker.jobs.orders import PruneLedger, SweepObjects, SweepSpool
from worker.jobs.run import JobRun
from worker.processes.child import performs
from worker.workflows import sweep
from worker.workflows.tools import Tools


@performs(PruneLedger)
def prune_ledger(run: JobRun, order: PruneLedger, tools: Tools) -> None:  # noqa: ARG001 - the order says it all
    """Jobs and idempotency keys past their retention."""
    sweep.prune_ledger(run, tools)


@performs(SweepObjects)
def sweep_objects(run: JobRun, order: SweepObjects, tools: Tools) -> None:  # noqa: ARG001 - the order says it all
    """Objects that no row names."""
    sweep.sweep_objects(run, tools)


@performs(SweepSpool)
def sweep_spool(run: JobRun, order: SweepSpool, tools: Tools) -> None:  # noqa: ARG001 - the order says it all
    """Spool files that no row names."""
    sweep.sweep_spool(run, tools)
