"""What happens to a recording when its job ends without success: passed to everything that can end a job."""

from sqlalchemy import func
from sqlalchemy.orm import Session

from models.recordings import Recording
from worker import clock
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.board_orders import ReplayBoard
from worker.jobs.orders.recording_orders import (
    IngestRecording,
    MakePictures,
    MakeRenditions,
    RemoveRecordingFiles,
    RestoreRecording,
    StoreSource,
)
from worker.jobs.runs.failure_hooks import FailedJob, FailureHooks
from worker.media.errors import MediaRejected
from worker.recordings.outputs.order_renditions import is_rendition
from worker.recordings.outputs.pending_rows import give_up_pending
from worker.recordings.outputs.pictures import is_picture
from worker.recordings.outputs.renditions import set_rendition
from worker.recordings.source import lock_recording, playback_version_of, version_of
from worker.workflows.recordings.notify_recording import notify_of_failure, notify_of_recording

# Reasons of a rejection after which no program can play the bytes.
_NO_MEDIA = frozenset({"empty", "not-a-recording"})


def ingest_ended(session: Session, order: IngestRecording, ended: FailedJob) -> Recording | None:
    """Mark the recording as neither processing nor available, with the error; remove what the attempt uploaded.

    Its bytes stay (SPOOL_RETENTION), so that the job can be retried once the fault is fixed, or the recording be
    rescued with other tools; only bytes that are not media are deleted from the spool. Returns the recording, or None
    when the job's end no longer matters.
    """
    recording = lock_recording(session, order.recording_id)
    if recording is None or version_of(recording) != order.version:
        return None
    if recording.is_available:
        _keep_first_version(session, recording, order)
        return None
    recording.is_processing, recording.error, recording.updated_at = False, ended.error, func.now()
    worthless = ended.error.get("code") == MediaRejected.code and ended.error.get("reason") in _NO_MEDIA
    dropped = recording.spool_name if worthless else None
    enqueue(session, RemoveRecordingFiles(order.recording_id, order.session_id, order.spool_id, dropped))
    if worthless:
        recording.spool_name = None
    return recording


def _keep_first_version(session: Session, recording: Recording, order: IngestRecording) -> None:
    """Store the extended bytes of a playable recording, even though they cannot be played."""
    if order.version:
        recording.is_processing, recording.updated_at = False, func.now()
        enqueue(
            session,
            StoreSource(order.recording_id, order.session_id, order.spool_id, order.size_bytes, order.version),
        )


def store_ended(session: Session, order: StoreSource, ended: FailedJob) -> None:
    """Record in the source rendition why it is not on B2; its bytes stay in the spool until the job is retried."""
    recording = lock_recording(session, order.recording_id)
    if recording is not None and version_of(recording) == order.version:
        reason = ended.error.get("detail")
        set_rendition(session, order.recording_id, "source", state="failed", reason=reason)


def _ingest_ended(session: Session, order: IngestRecording, ended: FailedJob) -> None:
    recording = ingest_ended(session, order, ended)
    # The person who cancelled it already knows.
    if recording is not None and ended.state != "cancelled":
        notify_of_failure(session, recording, ended.error, now=clock.now())


def rows_ended(session: Session, order: MakeRenditions | MakePictures, ended: FailedJob) -> None:
    """Record in the rows that are still pending why they were not filled; the job can be retried."""
    recording = lock_recording(session, order.recording_id)
    if recording is not None and playback_version_of(recording) == order.version:
        is_one = is_rendition if isinstance(order, MakeRenditions) else is_picture
        give_up_pending(session, order.recording_id, is_one, ended.error.get("detail") or "The job has ended.")


def restore_ended(session: Session, order: RestoreRecording, ended: FailedJob) -> None:
    """Mark the adopted recording as not processing, with the error; its bytes stay on B2."""
    recording = lock_recording(session, order.recording_id)
    if recording is not None and not recording.is_available:
        recording.is_processing, recording.error, recording.updated_at = False, ended.error, func.now()


def film_ended(session: Session, order: ReplayBoard, _ended: FailedJob) -> None:
    """Announce the voice whose film was not made: its announcement had been left to the film.

    The message has no link, because the setting of its address is not known here. What the film itself has announced
    is not announced again.
    """
    recording = None if order.voice_id is None else lock_recording(session, order.voice_id)
    if recording is not None and recording.is_available:
        notify_of_recording(session, recording, page=None, now=clock.now())


FAILURE_HOOKS: FailureHooks = {
    IngestRecording: _ingest_ended,
    MakePictures: rows_ended,
    MakeRenditions: rows_ended,
    ReplayBoard: film_ended,
    RestoreRecording: restore_ended,
    StoreSource: store_ended,
}
