"""Stop everything that one principal has ordered, and wait until none of it runs."""

import time
from contextlib import suppress
from uuid import UUID

from models.states import JOB_LIVE
from worker.database import Database
from worker.errors import Conflict, NotFound, Unavailable
from worker.jobs.operations.reading import running_of
from worker.jobs.operations.selection import JobFilter, select_jobs
from worker.jobs.orders.order import UnreadableArguments
from worker.jobs.orders.recording_orders import RemoveRecordingFiles
from worker.jobs.runs.cancel import cancel_job
from worker.workflows.recordings.failure_hooks import FAILURE_HOOKS

_BATCH = 1000
_PAUSE = 0.2


def stop_jobs(database: Database, principal: str, *, by: str, timeout: float) -> int:
    """Cancel the principal's jobs, except the removal of files, until none is live; returns how many.

    `by` is recorded. Raises Unavailable when one still runs after `timeout` seconds.
    """
    stopped = 0
    while True:
        cancelled = _cancel_jobs(database, principal, by)
        _wait_until_stopped(database, principal, timeout)
        stopped += cancelled
        # Running jobs may have ordered more before they stopped.
        if not cancelled:
            return stopped


def _cancel_jobs(database: Database, principal: str, by: str) -> int:
    """Cancel the jobs, each in its own transaction; returns how many."""
    stopped, after = 0, None
    while True:
        with database.transaction() as session:
            jobs = select_jobs(session, JobFilter(principal=principal), JOB_LIVE, after=after, most=_BATCH)
        for job in jobs:
            if job.kind == RemoveRecordingFiles.kind:
                continue
            with suppress(Conflict, NotFound):
                _cancel(database, job.id, by)
                stopped += 1
        if len(jobs) < _BATCH:
            return stopped
        after = jobs[-1].position


def _cancel(database: Database, job_id: UUID, by: str) -> None:
    try:
        with database.transaction() as session:
            cancel_job(session, FAILURE_HOOKS, job_id, by=by)
    except UnreadableArguments:
        # Its failure hook cannot read its arguments, but a job that remained could create data of the person again.
        with database.transaction() as session:
            cancel_job(session, {}, job_id, by=by)


def _wait_until_stopped(database: Database, principal: str, seconds: float) -> None:
    until = time.monotonic() + seconds
    while True:
        with database.transaction() as session:
            running = running_of(session, principal)
        if not running:
            return
        if time.monotonic() > until:
            raise Unavailable(
                f"Jobs of {principal} still run, and are asked to stop: {', '.join(map(str, running))}. Run this again "
                "when they have ended."
            )
        time.sleep(_PAUSE)
