"""Which ending belongs to which order: handed to everything that can end a job."""

from sqlalchemy.orm import Session

from worker import clock
from worker.jobs.failure_hooks import FailedJob, FailureHooks
from worker.jobs.orders import IngestRecording, StoreSource
from worker.recordings.endings import ingest_ended, store_ended
from worker.workflows.notify_recording import tell_of_failure


def _ingest_ended(session: Session, order: IngestRecording, ended: FailedJob) -> None:
    recording = ingest_ended(session, order, ended)
    # The person who cancelled it knows.
    if recording is not None and ended.state != "cancelled":
        tell_of_failure(session, recording, ended.error, now=clock.now())


ENDINGS: FailureHooks = {IngestRecording: _ingest_ended, StoreSource: store_ended}
