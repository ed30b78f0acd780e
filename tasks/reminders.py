"""Messages to people: a batch that a dispatcher has claimed, and overdue ones that none has."""

from uuid import UUID

from celery import Task, shared_task

from worker.jobs.orders.routine_orders import SendOverdue
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import performs
from worker.processes.reminder_dispatcher import SEND
from worker.workflows.context import WorkerContext
from worker.workflows.lessons import send_overdue


@shared_task(name=SEND, bind=True)  # type: ignore[untyped-decorator]  # celery publishes no types
def send(self: Task, ids: list[int], token: str) -> None:
    """Send a batch. Idempotent: the token is valid for one sender, and only until others claim the deliveries."""
    self.app.child.context.batch_sender.deliver(ids, UUID(token))


@performs(SendOverdue)
def send_what_is_overdue(run: JobRun, context: WorkerContext) -> None:
    """Send due messages that no dispatcher has claimed."""
    send_overdue.send_overdue(run, context)
