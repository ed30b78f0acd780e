"""What a recording says when its job ended badly."""

from sqlalchemy import func
from sqlalchemy.orm import Session

from worker.jobs.endings import Ended
from worker.jobs.enqueue import enqueue
from worker.jobs.orders import IngestRecording, RemoveRecordingFiles, StoreSource
from worker.recordings.opening import lock_recording
from worker.recordings.renditions import set_rendition

# The bytes themselves are the reason, so they are not worth keeping.
_REJECTIONS = frozenset({"media-rejected"})


def ingest_ended(session: Session, order: IngestRecording, ended: Ended) -> None:
    """The recording is neither processing nor available and says why; what the attempt uploaded is removed.

    Rejected bytes leave the spool. After any other failure they stay (SPOOL_RETENTION), so that the job can be tried
    again once the fault is mended: a lesson is not lost because a key had expired.
    """
    recording = lock_recording(session, order.recording_id)
    if recording is None or recording.is_available:
        return
    recording.is_processing, recording.error, recording.updated_at = False, ended.error, func.now()
    rejected = ended.error.get("code") in _REJECTIONS
    dropped = recording.spool_name if rejected else None
    enqueue(session, RemoveRecordingFiles(order.recording_id, order.session_id, order.spool_id, dropped))
    if rejected:
        recording.spool_name = None


def store_ended(session: Session, order: StoreSource, ended: Ended) -> None:
    """The source rendition says why it is not on B2; its bytes stay in the spool until the job is tried again."""
    if lock_recording(session, order.recording_id) is not None:
        reason = ended.error.get("detail")
        set_rendition(session, order.recording_id, "source", state="failed", reason=reason)
