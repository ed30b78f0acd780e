"""A recording goes: its row at once, its files as an order."""

from sqlalchemy import delete
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.errors import NotFound
from worker.jobs.enqueue import enqueue
from worker.jobs.orders import RemoveRecordingFiles
from worker.recordings.source import lock_recording


def delete_recording(session: Session, recording_id: int, *, principal: str) -> int:
    """Delete the row with its renditions, order the removal of its files, and return its session's id.

    Its live jobs must have been cancelled before, in the same transaction (jobs are locked before their subjects).
    """
    recording = lock_recording(session, recording_id)
    if recording is None:
        raise NotFound(f"There is no recording {recording_id}.")
    order = RemoveRecordingFiles(
        recording_id, recording.session_id, recording.spool_id or "shared", recording.spool_name
    )
    session.execute(delete(Recording).where(Recording.id == recording_id))
    enqueue(session, order, principal=principal)
    return recording.session_id
