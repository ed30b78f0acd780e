"""Make the file for download again when its chapters have changed."""

from sqlalchemy.orm import Session

from worker.jobs.enqueue import enqueue
from worker.recordings.outputs.order_renditions import renditions_order
from worker.recordings.outputs.pending_rows import mark_pending, names_in
from worker.recordings.reading import read_recording
from worker.recordings.source import lock_recording


def renew_download(session: Session, recording_id: int, *, principal: str) -> None:
    """Order the `download` of a recording again if it is ready; nothing is decoded for it. Idempotent.

    A pending one will be made with the chapters of that moment. Called in a transaction of its own, after the one that
    wrote the chapters: the job is locked before the recording.
    """
    recording = read_recording(session, recording_id)
    if recording is None or "download" not in names_in(session, recording_id, "ready"):
        return
    enqueue(session, renditions_order(recording), principal=principal, lock=True)
    if lock_recording(session, recording_id) is not None:
        mark_pending(session, recording_id, ["download"])
