"""Store the uploaded bytes on B2; the spool file is removed only after the upload is verified."""

from worker.after_commit import after_commit
from worker.jobs.orders.recording_orders import StoreSource
from worker.jobs.runs.job_run import JobRun
from worker.recordings.objects.names import SOURCE_FORMS, source_name
from worker.recordings.outputs.renditions import set_rendition
from worker.recordings.source import UploadedSource, find_source, lock_recording, version_of
from worker.storage.objects import StoredObject
from worker.workflows.context import WorkerContext
from worker.workflows.recordings.uploaded_bytes import stored_source


def store_source(run: JobRun, order: StoreSource, context: WorkerContext) -> None:
    """Upload the source, write its row, remove the spool file.

    If the recording was deleted meanwhile, a removal job follows; if its bytes were extended, another job stores all of
    them.
    """
    with context.database.transaction() as session:
        source = find_source(session, order.recording_id)
    if source is None or source.spool_name is None or source.version != order.version:
        return
    stored = _store(run, order, context, source, source.spool_name)
    with run.finish({"object": stored.name}) as session:
        recording = lock_recording(session, order.recording_id)
        if recording is None or version_of(recording) != order.version:
            return
        set_rendition(
            session,
            order.recording_id,
            "source",
            state="ready",
            reason=None,
            object_name=stored.name,
            file_id=stored.file_id,
            sha1=source.sha1,
            bytes=stored.size,
            mime=stored.content_type,
        )
        name, recording.spool_name = source.spool_name, None
        # A crash right here leaves a file that no row names: the sweep removes it.
        after_commit(session, lambda: context.spool.remove(name))


def _store(
    run: JobRun, order: StoreSource, context: WorkerContext, source: UploadedSource, spool_name: str
) -> StoredObject:
    """Upload the file. If it has left the spool, it is on B2 already, which a restored database does not know."""
    if not context.spool.has(spool_name) and (stored := stored_source(context, source)) is not None:
        return stored
    extension, content_type = SOURCE_FORMS[source.container or "webm"]
    return context.store.upload(
        context.spool.path(spool_name),
        source_name(source.prefix, source.sha1, extension),
        content_type=content_type,
        sha1=source.sha1,
        on_progress=lambda sent: run.progress(100 * sent / max(order.size_bytes, 1), "storing the source"),
        should_stop=run.should_stop,
    )
