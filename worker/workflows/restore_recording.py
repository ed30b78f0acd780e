"""Fetch the bytes of an adopted recording from B2 into the spool, and order their ingest."""

import secrets

from worker.jobs.enqueue import enqueue
from worker.jobs.job_run import JobRun
from worker.jobs.recording_orders import IngestRecording, RestoreRecording
from worker.recordings.source import find_source, lock_recording
from worker.uploads.private_files import full_disk_named
from worker.workflows.context import WorkerContext


def restore_recording(run: JobRun, order: RestoreRecording, context: WorkerContext) -> None:
    """Download and verify the bytes, name them in the row, order the ingest. A recording deleted meanwhile is left."""
    with context.database.transaction() as session:
        source = find_source(session, order.recording_id)
    if source is None or source.spool_name is not None:
        return
    context.spool.require_space(order.size_bytes)
    name = secrets.token_hex(16)
    with full_disk_named():
        path = context.spool.target(name)
        context.store.download(order.object_name, path, sha1=source.sha1)
        path.chmod(0o600)
    # After a failure here, the sweep of the spool removes what no row names.
    with run.finish({"object": order.object_name}) as session:
        recording = lock_recording(session, order.recording_id)
        if recording is None or recording.spool_name is not None:
            context.spool.remove(name)
            return
        recording.spool_name, recording.is_processing, recording.error = name, True, None
        ingest = IngestRecording(order.recording_id, order.session_id, order.spool_id, order.size_bytes)
        recording.job_id = enqueue(session, ingest, principal=run.claim.principal)
