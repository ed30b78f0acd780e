"""The order to do nothing, and its task: what is left is the ledger's own cost. Celery loads this by its name."""

from dataclasses import dataclass
from typing import ClassVar

from worker.jobs.orders import Order
from worker.jobs.run import JobRun
from worker.processes.child import performs
from worker.workflows.tools import Tools


@dataclass(frozen=True)
class Nothing(Order):
    """Do nothing."""

    kind: ClassVar[str] = "figures.nothing"

    number: int = 0


@performs(Nothing)
def nothing(run: JobRun, order: Nothing, tools: Tools) -> None:
    """Nothing."""
