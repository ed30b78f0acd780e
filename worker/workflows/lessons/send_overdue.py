"""The fallback sender: sends what is due and unclaimed immediately, without dispatcher or broker."""

import time
from uuid import uuid4

from worker.jobs.runs.job_run import JobRun
from worker.reminders.delivery.claim import claim
from worker.reminders.delivery.partitions import BATCH, batch_size
from worker.workflows.context import WorkerContext

# Seconds. By then a running dispatcher has claimed what is due.
_OVERDUE = 10.0
# Seconds. One run ends before the next one begins.
_ENOUGH = 20.0


def send_overdue(run: JobRun, context: WorkerContext) -> None:
    """Send what has been due for 10 s and is unclaimed, one batch per partition in turn."""
    until = time.monotonic() + _ENOUGH
    sent = 0
    while time.monotonic() < until:
        claimed = sum(_send_some(context, lane, lost=lost) for lane in BATCH for lost in (True, False))
        sent += claimed
        run.check()
        if claimed == 0:
            break
    run.succeed({"handled": sent})


def _send_some(context: WorkerContext, lane: str, *, lost: bool) -> int:
    token, lease = uuid4(), context.settings.delivery_lease
    with context.database.statement() as statement:
        most = batch_size(lane, lost=lost)
        ids = claim(statement, lane, lost=lost, token=token, most=most, lease=lease, overdue=_OVERDUE)
    context.batch_sender.deliver(ids, token)
    return len(ids)
