"""Uploads in pieces: end those that nobody continues."""

from worker.jobs.job_run import JobRun
from worker.jobs.routine_orders import SealUploads
from worker.processes.child import performs
from worker.workflows import seal_uploads
from worker.workflows.context import WorkerContext


@performs(SealUploads)
def seal(run: JobRun, _order: SealUploads, context: WorkerContext) -> None:
    """Make recordings of abandoned uploads."""
    seal_uploads.seal_uploads(run, context)
