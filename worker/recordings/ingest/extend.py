"""Replace the bytes of a recording by more of the same, when an abandoned upload was continued."""

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording
from worker.recordings.ingest.register import NewRecording, RegistrationResult, metadata_of, register_recording
from worker.recordings.source import find_live_duplicate, lock_recording, playback_version_of, version_of


def extend_recording(session: Session, recording_id: int, new: NewRecording) -> RegistrationResult:
    """Give the recording the bytes of `new` and enqueue their ingest; the current copy stays playable until then.

    If another recording has the same bytes, or this one was deleted, the result names another one.
    """
    recording = lock_recording(session, recording_id)
    if recording is None or find_live_duplicate(session, recording_id, new.session_id, new.type, new.sha1):
        return register_recording(session, new)
    version = version_of(recording) + 1
    before = recording.recording_metadata or {}
    metadata = {**before, **metadata_of(new)}
    metadata["source"] = {
        **before.get("source", {}),
        **metadata["source"],
        "version": version,
        "recovered": new.is_recovered,
    }
    is_recovered = new.is_recovered
    if recording.is_available:
        metadata["playback_version"] = playback_version_of(recording)
        # What plays lacks the end until the new bytes are ingested.
        is_recovered = "recovered" in before
    if not is_recovered:
        metadata.pop("recovered", None)
    recording.recording_metadata = metadata
    recording.source_sha1, recording.spool_id, recording.spool_name = new.sha1, new.spool_id, new.spool_name
    recording.marks, recording.is_processing, recording.error = new.marks, True, None
    if new.started_at is not None:
        recording.recording_date = new.started_at
    recording.updated_at = func.now()
    session.flush()
    order = IngestRecording(recording_id, new.session_id, new.spool_id, new.size_bytes, version)
    job_id = enqueue(session, order, principal=new.principal)
    session.execute(update(Recording).where(Recording.id == recording_id).values(job_id=job_id))
    return RegistrationResult(recording_id, job_id, is_new=True)
