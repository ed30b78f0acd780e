"""Delete a recording: cancel its jobs, delete the row, order the removal of its files."""

from contextlib import suppress

from sqlalchemy.orm import Session

from worker.errors import Conflict, NotFound
from worker.jobs.enqueue import enqueue
from worker.jobs.operations.subject_jobs import live_jobs
from worker.jobs.orders.recording_orders import RemoveRecordingFiles
from worker.jobs.runs.cancel import cancel_job
from worker.recordings.source import delete_row, lock_recording
from worker.uploads.upload_rows import terminate_uploads_of
from worker.whiteboards.has_recordings import mark_recorded


def delete_recording(session: Session, recording_id: int, *, principal: str) -> None:
    """Delete the recording and its renditions, in the caller's transaction; a running job notices and ends.

    Raises NotFound.
    """
    # Jobs are locked before their subjects.
    _cancel_jobs(session, recording_id, principal)
    recording = lock_recording(session, recording_id)
    if recording is None:
        raise NotFound(f"There is no recording {recording_id}.")
    session_id = recording.session_id
    order = RemoveRecordingFiles(recording_id, session_id, recording.spool_id or "shared", recording.spool_name)
    terminate_uploads_of(session, recording_id)
    delete_row(session, recording_id)
    enqueue(session, order, principal=principal)
    mark_recorded(session, session_id)


def _cancel_jobs(session: Session, recording_id: int, principal: str) -> None:
    for job_id, kind in live_jobs(session, [f"recording:{recording_id}"]).items():
        if kind == RemoveRecordingFiles.kind:
            continue
        # It may have ended since it was read: then there is nothing left to cancel. Rows that hooks would write are
        # deleted next.
        with suppress(Conflict):
            cancel_job(session, {}, job_id, by=principal)
