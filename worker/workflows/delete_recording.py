"""Delete a recording: cancel what works on it, drop the row, order the removal of its files."""

from contextlib import suppress

from sqlalchemy import select
from sqlalchemy.orm import Session

from models.jobs import Job
from models.states import JOB_LIVE
from worker.errors import Conflict
from worker.jobs.cancel import cancel_job
from worker.jobs.orders import RemoveRecordingFiles
from worker.recordings.deleting import delete_recording as delete_row
from worker.whiteboards.has_recordings import mark_recorded
from worker.workflows.failure_hooks import ENDINGS


def delete_recording(session: Session, recording_id: int, *, principal: str) -> None:
    """Take the recording away, in the caller's transaction; a job that is running finds it gone and ends.

    Raises NotFound.
    """
    for job_id in session.scalars(
        select(Job.id).where(
            Job.subject == f"recording:{recording_id}",
            Job.kind != RemoveRecordingFiles.kind,
            Job.state.in_(JOB_LIVE),
        )
    ).all():
        # It may have ended since we asked: then there is nothing left to cancel.
        with suppress(Conflict):
            cancel_job(session, ENDINGS, job_id)
    session_id = delete_row(session, recording_id, principal=principal)
    mark_recorded(session, session_id)
