"""Remove what nobody needs from the spool."""

from datetime import timedelta

from worker import clock
from worker.jobs.runs.job_run import JobRun
from worker.jobs.runs.run_statements import running_jobs
from worker.recordings.source import give_up_bytes, named_spool_files
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
        give_up_bytes(session, settings.spool_id, clock.now() - timedelta(seconds=settings.spool_retention))
        named = named_spool_files(session)
        # A job creates its folder after its row is marked running.
        running = running_jobs(session)
    unnamed = [name for name in old if name not in named]
    for name in unnamed:
        context.spool.remove(name)
    debris = context.spool.remove_debris(older_than=settings.orphan_age)
    debris += context.spool.remove_workspaces(folders, running=running)
    run.succeed({"files": len(unnamed) + sweep_upload_files(context), "debris": debris})
