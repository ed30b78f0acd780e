"""Remove what nobody needs from the spool."""

from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from worker import clock
from worker.jobs.operations.subject_jobs import live_subjects
from worker.jobs.orders.recording_orders import IngestRecording
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.run_statements import running_jobs
from worker.recordings.source import clear_spool_names, named_spool_files, unplayable_since
from worker.storage.restores import require_sweeps_allowed
from worker.workflows.context import WorkerContext
from worker.workflows.uploads.seal_uploads import sweep_upload_files


def sweep_spool(run: JobRun, context: WorkerContext) -> None:
    """Remove spool files without a recording, debris of uploads and killed attempts, and bytes past their retention.

    Bytes of a recording that never became playable are kept for SPOOL_RETENTION, for retries; those of a playable one
    stay until its source is on B2.
    """
    settings = context.settings
    require_sweeps_allowed(context.store, context.database)
    # Files are listed before the names in rows, so a file that gets a row in between counts as named.
    old = list(context.spool.names(older_than=settings.orphan_age))
    folders = context.spool.workspaces()
    with context.database.transaction() as session:
        _give_up(session, settings.spool_id, clock.now() - timedelta(seconds=settings.spool_retention))
        named = named_spool_files(session)
        # A job creates its folder after its row is marked running.
        running = running_jobs(session)
    unnamed = [name for name in old if name not in named]
    for name in unnamed:
        context.spool.remove(name)
    debris = context.spool.remove_debris(older_than=settings.orphan_age)
    debris += context.spool.remove_workspaces(folders, running=running)
    run.succeed({"files": len(unnamed) + sweep_upload_files(context), "debris": debris})


def _give_up(session: Session, spool_id: str, kept_since: datetime) -> None:
    """Give up the bytes of recordings that failed before `kept_since`, unless their ingest was ordered again."""
    subjects = {
        f"recording:{recording_id}": recording_id for recording_id in unplayable_since(session, spool_id, kept_since)
    }
    retried = live_subjects(session, subjects, IngestRecording.kind)
    clear_spool_names(session, [subjects[subject] for subject in subjects.keys() - retried])
