"""A job that does nothing, so that all of its cost is the ledger's. Celery loads this module by name."""

from dataclasses import dataclass
from typing import ClassVar

from worker.jobs.orders.order import Order
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import performs
from worker.workflows.context import WorkerContext


@dataclass(frozen=True)
class Noop(Order):
    """Do nothing."""

    kind: ClassVar[str] = "benchmarks.noop"

    number: int = 0


@performs(Noop)
def noop(run: JobRun, order: Noop, context: WorkerContext) -> None:
    """Nothing."""
