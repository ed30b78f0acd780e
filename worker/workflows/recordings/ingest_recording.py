"""Ingest a recording: the bytes in the spool become a playable lesson."""

from sqlalchemy.orm import Session

from models.recordings import Recording
from worker import clock
from worker.jobs.enqueue import enqueue
from worker.jobs.orders.recording_orders import IngestRecording, StoreSource
from worker.jobs.runs.job_run import JobRun
from worker.media.limits import Limits
from worker.recordings.ingest.make_playable import make_playable
from worker.recordings.ingest.playable import IngestContext, Playable
from worker.recordings.ingest.publishing import publish_recording
from worker.recordings.outputs.order_pictures import all_rows, order_pictures, picture_rows
from worker.recordings.outputs.order_renditions import drop_renditions, order_renditions
from worker.recordings.outputs.pictures import drop_pictures
from worker.recordings.outputs.rendition_rules import automatic_renditions, tracks_of
from worker.recordings.source import UploadedSource, find_source, lock_recording, mark_processing, version_of
from worker.uploads.private_files import report_full_disk
from worker.whiteboards.board import board_snapshot
from worker.whiteboards.has_recordings import mark_recorded
from worker.workflows.boards.page_addresses import renew_document
from worker.workflows.context import WorkerContext
from worker.workflows.recordings.notify_recording import notify_of_recording
from worker.workflows.recordings.uploaded_bytes import uploaded_bytes
from worker.workflows.recordings.voice_film import order_film


def ingest_recording(run: JobRun, order: IngestRecording, context: WorkerContext) -> None:
    """Make the recording playable and commit its row with the end of the job.

    If the recording was deleted before, there is nothing to do. If it was deleted meanwhile, the job succeeds
    nevertheless, and the removal ordered by the deletion takes away what was uploaded. The same applies if its bytes
    were extended: another job ingests all of them.
    """
    with context.database.transaction() as session:
        mark_processing(session, order.recording_id)
        source = find_source(session, order.recording_id)
    if source is None or source.version != order.version:
        return
    with report_full_disk(), context.spool.workspace(run.claim.job_id) as folder:
        uploaded = uploaded_bytes(context, source, folder)
        limits = Limits(max_seconds=context.settings.recording_max_seconds)
        ingest = IngestContext(context.binaries, context.store, folder, limits)
        playable = make_playable(run, ingest, source, uploaded)
    run.check()
    _finish(run, order, context, source, playable)


def _finish(
    run: JobRun, order: IngestRecording, context: WorkerContext, source: UploadedSource, playable: Playable
) -> None:
    url = context.store.url(playable.playback.name)
    poster_url = context.store.url(playable.poster.name) if playable.poster else None
    result = {
        "object": playable.playback.name,
        "duration_ms": playable.copy.duration_ms,
        "decoded_pictures": playable.decoded_pictures,
    }
    with run.finish(result) as session:
        recording = lock_recording(session, source.recording_id)
        if recording is None or version_of(recording) != order.version:
            return
        publish_recording(
            session,
            recording,
            playable,
            board=board_snapshot(session, source.session_id),
            url=url,
            poster_url=poster_url,
        )
        mark_recorded(session, source.session_id)
        _order_renditions(session, recording, context, run.claim.principal)
        renew_document(session, source.session_id, context.settings, principal=run.claim.principal)
        # A voice that becomes a film is not announced; the film will be.
        if not order_film(session, recording, spool_id=order.spool_id, principal=run.claim.principal):
            notify_of_recording(session, recording, page=context.settings.recording_url, now=clock.now())
        enqueue(
            session,
            StoreSource(order.recording_id, order.session_id, order.spool_id, order.size_bytes, order.version),
            principal=run.claim.principal,
        )
        if "pictures" in context.settings.renditions:
            # Those made from an earlier fast copy are outside the prefix that a player may now open.
            drop_pictures(session, recording.id)
            rows = all_rows(picture_rows(session, recording.id))
            order_pictures(session, recording, rows, principal=run.claim.principal)


def _order_renditions(session: Session, recording: Recording, context: WorkerContext, principal: str) -> None:
    drop_renditions(session, recording.id)
    names = automatic_renditions(context.settings.renditions, tracks_of(recording))
    if names:
        order_renditions(session, recording, names, principal=principal)
