"""Remove files that no row names any more: the objects and the spool file of a deleted or failed recording."""

from sqlalchemy.orm import Session

from worker.errors import AstegniError
from worker.jobs.operations.subject_jobs import live_jobs
from worker.jobs.orders.recording_orders import RemoveRecordingFiles
from worker.jobs.runs.job_run import JobRun
from worker.recordings.objects.names import recording_prefix
from worker.recordings.objects.only_copies import is_only_copy
from worker.recordings.outputs.renditions import named_objects
from worker.storage.restores import held_sweeps
from worker.workflows.context import WorkerContext


class StillBusy(AstegniError):
    """A job is still working on the recording; objects that it uploads later would be missed."""

    code, title, status, retryable = "still-busy", "Still being worked on", 409, True


def remove_recording_files(run: JobRun, order: RemoveRecordingFiles, context: WorkerContext) -> None:
    """Remove every object below the recording's prefix that no ready rendition names, and the spool file."""
    prefix = recording_prefix(order.session_id, order.recording_id)
    with context.database.transaction() as session:
        if _is_worked_on(session, order.recording_id):
            raise StillBusy(f"A job still works on recording {order.recording_id}.")
        held = held_sweeps(session)
    if held is not None:
        # The order may be older than what it would delete. The sweeps remove unnamed objects once they may.
        run.succeed({"objects": 0, "held": held})
        return
    if order.spool_name is not None:
        context.spool.remove(order.spool_name)
    removed = 0
    for name in sorted({stored.name for stored in context.store.list(prefix)}):
        run.check()
        removed += remove_unnamed(order.recording_id, name, context)
    run.succeed({"objects": removed})


def remove_unnamed(recording_id: int, name: str, context: WorkerContext) -> int:
    """Delete one object unless a row names it or is about to: checked again right before each deletion."""
    with context.database.transaction() as session:
        named = name in named_objects(session, recording_id)
        if named or _is_worked_on(session, recording_id) or is_only_copy(session, name):
            return 0
    context.store.delete(name)
    return 1


def _is_worked_on(session: Session, recording_id: int) -> bool:
    kinds = set(live_jobs(session, [f"recording:{recording_id}"]).values())
    return bool(kinds - {RemoveRecordingFiles.kind})
