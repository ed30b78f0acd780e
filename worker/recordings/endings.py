"""What a recording says when its job ended badly."""

from sqlalchemy import func
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.jobs.enqueue import enqueue
from worker.jobs.failure_hooks import FailedJob
from worker.jobs.orders import IngestRecording, RemoveRecordingFiles, StoreSource
from worker.media.errors import MediaRejected
from worker.recordings.renditions import set_rendition
from worker.recordings.source import lock_recording

# Reasons of a rejection with which no program at all plays the bytes: there is no lesson in them.
_NO_MEDIA = frozenset({"empty", "not-a-recording"})


def ingest_ended(session: Session, order: IngestRecording, ended: FailedJob) -> Recording | None:
    """The recording is neither processing nor available and says why; what the attempt uploaded is removed.

    Its bytes stay (SPOOL_RETENTION), so that the job can be tried again once the fault is fixed, or the recording be
    rescued with other tools; only what is no media leaves the spool. Returns the recording, None when its job's end
    no longer matters.
    """
    recording = lock_recording(session, order.recording_id)
    if recording is None or recording.is_available:
        return None
    recording.is_processing, recording.error, recording.updated_at = False, ended.error, func.now()
    worthless = ended.error.get("code") == MediaRejected.code and ended.error.get("reason") in _NO_MEDIA
    dropped = recording.spool_name if worthless else None
    enqueue(session, RemoveRecordingFiles(order.recording_id, order.session_id, order.spool_id, dropped))
    if worthless:
        recording.spool_name = None
    return recording


def store_ended(session: Session, order: StoreSource, ended: FailedJob) -> None:
    """The source rendition says why it is not on B2; its bytes stay in the spool until the job is tried again."""
    if lock_recording(session, order.recording_id) is not None:
        reason = ended.error.get("detail")
        set_rendition(session, order.recording_id, "source", state="failed", reason=reason)
