"""Fetch the bytes of an adopted recording from B2 into the spool, and order their ingest."""

import secrets

from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording, RestoreRecording
from worker.jobs.runs.job_run import JobRun
from worker.recordings.source import find_source, lock_recording
from worker.workflows.context import WorkerContext
from worker.workflows.recordings.uploaded_bytes import fetch_bytes


def restore_recording(run: JobRun, order: RestoreRecording, context: WorkerContext) -> None:
    """Download and verify the bytes, record them in the row, order the ingest; not for a deleted recording."""
    with context.database.transaction() as session:
        source = find_source(session, order.recording_id)
    if source is None or source.spool_name is not None:
        return
    name = secrets.token_hex(16)
    fetch_bytes(context, order.object_name, context.spool.target(name), sha1=source.sha1, size=order.size_bytes)
    # After a failure here, the sweep of the spool removes files that no row names.
    with run.finish({"object": order.object_name}) as session:
        recording = lock_recording(session, order.recording_id)
        if recording is None or recording.spool_name is not None:
            context.spool.remove(name)
            return
        recording.spool_name, recording.is_processing, recording.error = name, True, None
        ingest = IngestRecording(order.recording_id, order.session_id, order.spool_id, order.size_bytes)
        recording.job_id = enqueue(session, ingest, principal=run.claim.principal)
