"""The composition root of a worker's child process, and the one typed way to declare a task."""

from collections.abc import Callable
from dataclasses import dataclass
from inspect import signature
from typing import Any, TypeVar
from uuid import UUID

from billiard import current_process
from celery import Celery, current_app, shared_task

from worker.database import Database
from worker.jobs.orders.order import Order
from worker.jobs.publisher import Publisher
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.perform import JobNotDone, Performer
from worker.jobs.runs.run_lease import LeaseTiming
from worker.processes.broker import OTHER_JOBS, start_publisher
from worker.processes.metrics_server import enter_child
from worker.settings import Settings
from worker.tracing.tracing import Tracing
from worker.workflows.context import WorkerContext
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

OrderType = TypeVar("OrderType", bound=Order)
Work = Callable[[JobRun, OrderType, WorkerContext], None] | Callable[[JobRun, WorkerContext], None]
_WITH_ORDER = 3


@dataclass(frozen=True)
class ChildContext:
    """The resources of one child process: created after its fork, closed before it exits."""

    performer: Performer
    publisher: Publisher
    context: WorkerContext
    tracing: Tracing

    @property
    def database(self) -> Database:
        """The child's database; jobs queued through it are published at once."""
        return self.context.database


def lease_timing(settings: Settings) -> LeaseTiming:
    """The lease timing of runs."""
    return LeaseTiming(lease=settings.run_lease, renewal=settings.lease_renewal, heartbeat=settings.pulse_interval)


def open_child(**_signal: object) -> None:
    """Set up a freshly forked child (signal `worker_process_init`, which allows four seconds: nothing connects yet)."""
    app: Celery = current_app._get_current_object()  # noqa: SLF001 - the proxy is invalid once this call ends
    enter_child(app.metrics, current_process().index)
    app.ended_runs.use_slot(current_process().index)
    tracing = Tracing(app.settings, "worker")
    tracing.start()
    database, publisher = start_publisher(app, app.settings)
    app.child = ChildContext(
        performer=Performer(
            database,
            app.process_name,
            lease_timing(app.settings),
            app.settings.retry_base,
            FAILURE_HOOKS,
            app.settings.worker_concurrency,
            publisher.offer_due,
            app.stop_flag.is_set,
        ),
        publisher=publisher,
        context=WorkerContext(app.settings, database),
        tracing=tracing,
    )


def record_end(task_id: str, **_signal: object) -> None:
    """Record that the child has processed a message (signal `task_postrun`)."""
    current_app.ended_runs.record(task_id)


def close_child(**_signal: object) -> None:
    """Close connections at a child's orderly exit (signal `worker_process_shutdown`)."""
    child: ChildContext | None = getattr(current_app, "child", None)
    if child is not None:
        child.publisher.stop(timeout=1.0)
        child.database.close()
        child.tracing.stop()


def performs(order: type[OrderType]) -> Callable[[Work[OrderType]], Any]:
    """Declare the task that runs `order`: `@performs(IngestRecording)` above a one-line function.

    The function may omit the parameter of an order without fields. The task's name is the order's kind, and all options
    are set once, in worker/celery_settings.py, so that none can be misspelt: Celery silently accepts unknown ones.
    """

    def declare(work: Work[OrderType]) -> Any:
        reads_order = len(signature(work).parameters) == _WITH_ORDER
        call: Callable[..., None] = work

        def task(self: Any, job_id: str) -> None:
            child: ChildContext = self.app.child

            def perform(run: JobRun, done: Order) -> None:
                call(*((run, done, child.context) if reads_order else (run, child.context)))

            others = [UUID(other) for other in self.request.get(OTHER_JOBS) or ()]
            child.performer.perform(UUID(job_id), perform, others=others)

        task.__doc__ = work.__doc__
        # `throws`: this error is expected, and Celery must not log its traceback a second time.
        return shared_task(name=order.kind, bind=True, throws=(JobNotDone,))(task)

    return declare
