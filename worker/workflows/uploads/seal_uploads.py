"""Abandoned uploads: the bytes that arrived become a recording, and unneeded files are removed."""

from collections import Counter
from contextlib import suppress

from sqlalchemy.exc import SQLAlchemyError

from worker.database import DATABASE_UNAVAILABLE
from worker.errors import AstegniError
from worker.jobs.runs.job_run import JobRun
from worker.logs import get_logger
from worker.uploads.upload_errors import UploadGone
from worker.uploads.upload_rows import lock_upload
from worker.uploads.upload_upkeep import kept_uploads, open_uploads, recovered_uploads
from worker.workflows.context import WorkerContext
from worker.workflows.uploads.end_upload import recover_upload

_log = get_logger(__name__)


def seal_uploads(run: JobRun, context: WorkerContext) -> None:
    """End the open uploads of this spool to which nothing was added for UPLOAD_ABANDONED_AFTER seconds.

    A complete upload whose last request died before registering it ends as finished. One that cannot be ended now,
    because of the disk or its row, does not delay the others; `astegni_uploads_overdue_seconds` shows it.
    """
    idle = context.settings.upload_abandoned_after
    with context.database.transaction() as session:
        listed = open_uploads(session, context.settings.spool_id, age=idle)
    ended: Counter[str] = Counter()
    for upload_id, _updated_at in listed:
        run.check()
        try:
            ended[recover_upload(context, upload_id, idle=idle)] += 1
        except DATABASE_UNAVAILABLE:
            raise
        except (AstegniError, OSError, SQLAlchemyError) as error:
            _log.warning("upload_not_sealed", upload_id=upload_id, error=type(error).__name__)
            ended["failed"] += 1
    run.succeed({state: count for state, count in ended.items() if state != "open"})


def sweep_upload_files(context: WorkerContext) -> int:
    """Remove the files of uploads that have ended, and of recovered ones past SPOOL_RETENTION; returns how many.

    The file of an open upload stays however old it is: its bytes are in no recording.
    """
    spool, settings = context.spool, context.settings
    old = list(spool.upload_ids(older_than=settings.orphan_age))
    with context.database.transaction() as session:
        kept = kept_uploads(session, old)
    expired = [upload_id for upload_id in spool.upload_ids(older_than=settings.spool_retention) if upload_id in kept]
    with context.database.transaction() as session:
        recovered = recovered_uploads(session, expired)
    removed = [upload_id for upload_id in recovered if expire_upload(context, upload_id, idle=settings.spool_retention)]
    for upload_id in set(old) - kept:
        spool.upload(upload_id).remove()
    return len(removed) + len(set(old) - kept)


def expire_upload(context: WorkerContext, upload_id: str, *, idle: float) -> bool:
    """Remove the file of a recovered upload to which nothing was added for `idle` seconds; returns whether it was.

    A request that continues it has reopened its row, perhaps before its first byte arrives.
    """
    file = context.spool.upload(upload_id)
    with suppress(UploadGone), file.locked(), context.database.transaction() as session:
        upload = lock_upload(session, upload_id)
        if upload is not None and upload.state == "recovered" and file.idle_seconds() > idle:
            file.remove()
            return True
    return False
