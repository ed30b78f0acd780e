"""Keep the bytes as they were uploaded: to B2, verified, and only then out of the spool."""

from worker.database import after_commit
from worker.jobs.job_run import JobRun
from worker.jobs.orders import StoreSource
from worker.recordings.names import SOURCE_FORMS, source_name
from worker.recordings.renditions import set_rendition
from worker.recordings.source import find_source, lock_recording
from worker.workflows.context import WorkerContext


def store_source(run: JobRun, order: StoreSource, tools: WorkerContext) -> None:
    """Upload the source, write its row, let the spool file go. A recording deleted meanwhile is left to its removal."""
    with tools.database.transaction() as session:
        source = find_source(session, order.recording_id)
    if source is None or source.spool_name is None:
        return
    extension, content_type = SOURCE_FORMS[source.container or "webm"]
    stored = tools.store.upload(
        tools.spool.path(source.spool_name),
        source_name(source.prefix, source.sha1, extension),
        content_type=content_type,
        sha1=source.sha1,
        on_progress=lambda sent: run.progress(100 * sent / max(order.size_bytes, 1), "storing the source"),
        should_stop=run.should_stop,
    )
    with run.finish({"object": stored.name}) as session:
        recording = lock_recording(session, order.recording_id)
        if recording is None:
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
        # A crash right here leaves a file that no row names: the sweep takes it.
        after_commit(session, lambda: tools.spool.remove(name))
