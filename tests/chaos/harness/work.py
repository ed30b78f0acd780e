"""Orders of the chaos tests. Celery loads this module by its name."""

import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from celery.signals import task_prerun
from sqlalchemy import text

from tests.chaos.harness.event_log import VARIABLE, EventLog
from worker.errors import Unavailable
from worker.jobs.orders.order import Order
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.run_statements import LeaseLost
from worker.processes.child import performs
from worker.workflows.context import WorkerContext

_EFFECT = text("INSERT INTO chaos_effects (job_id, token, attempt) VALUES (:job, :token, :attempt)")


@dataclass(frozen=True)
class ChaosOrder(Order):
    """`what` an order does.

    `go`: take `seconds` and ask whether to stop; `trudge`: never ask; `hold`: go on until the event log has
    `opened`, for `seconds` at most; `stumble`: fail at the end; `die`: kill its own process.
    """

    kind: ClassVar[str] = "chaos.order"
    # Faults are aimed at what runs: with the usual five, bad luck alone would use them up.
    max_attempts: ClassVar[int] = 20

    number: int
    what: str = "go"
    seconds: float = 0.0

    @property
    def subject(self) -> str:
        return f"chaos:{self.number}"


@dataclass(frozen=True)
class PoisonOrder(ChaosOrder):
    """An order whose worker always dies."""

    kind: ClassVar[str] = "chaos.poison"
    max_attempts: ClassVar[int] = 3


@performs(ChaosOrder)
def chaos_order(run: JobRun, order: ChaosOrder, context: WorkerContext) -> None:
    perform_order(run, order)


@performs(PoisonOrder)
def poison(run: JobRun, order: PoisonOrder, context: WorkerContext) -> None:
    perform_order(run, order)


def perform_order(run: JobRun, order: ChaosOrder) -> None:
    """Write down the start, work, and leave one effect in the transaction that ends the job."""
    event_log = EventLog(Path(os.environ[VARIABLE]))
    claim = run.claim
    fields: dict[str, Any] = {"job": str(claim.job_id), "attempt": claim.attempt, "token": str(claim.token)}
    event_log.write("started", **fields, main=os.getppid())
    # The note is the run's token: a trigger compares the two.
    run.progress(1, str(claim.token))
    if order.what == "die":
        os.kill(os.getpid(), signal.SIGKILL)
    end = time.monotonic() + order.seconds
    while (left := end - time.monotonic()) > 0:
        if order.what == "hold" and event_log.read("opened"):
            break
        if order.what in {"go", "hold"}:
            run.check()
        run.progress(99 * (1 - left / order.seconds))
        time.sleep(0.02)
    if order.what == "stumble":
        raise Unavailable("It stumbled.")
    try:
        with run.finish({"token": fields["token"]}) as session:
            session.execute(_EFFECT, {"job": claim.job_id, "token": claim.token, "attempt": claim.attempt})
    except LeaseLost:
        event_log.write("refused", **fields)
        raise
    event_log.write("accepted", **fields)


@task_prerun.connect  # type: ignore[untyped-decorator]  # Celery's
def note_message(task_id: str = "", args: Any = (), **_signal: Any) -> None:
    """Which process got which job, real recordings included."""
    # Batches of messages to people are no jobs.
    if VARIABLE in os.environ and isinstance(args[0], str):
        EventLog(Path(os.environ[VARIABLE])).write("received", message=task_id, job=args[0], main=os.getppid())
