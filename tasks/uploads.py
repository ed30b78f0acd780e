"""Resumable uploads: end those that nobody continues."""

from worker.jobs.orders.routine_orders import SealUploads
from worker.jobs.runs.job_run import JobRun
from worker.processes.child import performs
from worker.workflows.context import WorkerContext
from worker.workflows.uploads import seal_uploads


@performs(SealUploads)
def seal(run: JobRun, _order: SealUploads, context: WorkerContext) -> None:
    """Make recordings from abandoned uploads."""
    seal_uploads.seal_uploads(run, context)
