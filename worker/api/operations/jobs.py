"""Jobs: `/v1/jobs`. A caller sees the jobs they ordered, an operator sees all."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Response

from worker.access.callers import Caller, UserCaller
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Document, JobId, Words
from worker.api.http.paging import BY_CREATION, Cursor, Limit, Page
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.jobs.live import require_room
from worker.jobs.operations.reading import list_jobs, read_attempts, read_job
from worker.jobs.operations.waiting import why_waiting
from worker.jobs.runs.cancel import cancel_job, retry_job

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(401, 403, 404, 422, 503))

# Seconds after which polling again makes sense.
RETRY_AFTER = "2"

JobState = Literal["queued", "published", "running", "retryable", "succeeded", "failed", "cancelled", "dead"]
Filter = Annotated[Words | None, Query(max_length=200)]


class JobDocument(Document):
    """A job: `subject` like `recording:12`, `progress` 0 to 100, `error` a problem document."""

    id: UUID
    kind: str
    subject: str | None
    state: JobState
    attempt: int
    progress: int
    progress_note: str | None
    error: dict[str, Any] | None
    result: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


class AttemptDocument(Document):
    """How one attempt ended; `outcome` is a state, or `worker-lost`, or `released` (a shutdown, not counted)."""

    attempt: int
    outcome: str
    error: dict[str, Any] | None
    started_at: datetime
    ended_at: datetime


class JobWithAttempts(JobDocument):
    """A job and its finished attempts, oldest first."""

    attempts: list[AttemptDocument]


def ordered_by(caller: Caller) -> str | None:
    """The principal whose jobs the caller may read and follow; None for an operator: everybody's."""
    return caller.principal if isinstance(caller, UserCaller) else None


@router.get("", summary="List jobs")
def get_jobs(
    caller: CallerOf,
    services: ServicesOf,
    state: JobState | None = None,
    kind: Filter = None,
    subject: Filter = None,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> Page[JobDocument]:
    """The caller's jobs (an operator: all), newest first."""
    with services.database.transaction() as session:
        jobs = list_jobs(
            session,
            principal=ordered_by(caller),
            state=state,
            kind=kind,
            subject=subject,
            before=BY_CREATION.decode(cursor),
            limit=limit + 1,
        )
    items = [JobDocument(**job.document) for job in jobs[:limit]]
    return Page(items=items, next=BY_CREATION.after([job.position for job in jobs], limit))


@router.get("/{job_id}", summary="Read a job")
def get_job(job_id: JobId, caller: CallerOf, services: ServicesOf) -> JobWithAttempts:
    """A job, and how its attempts ended."""
    with services.database.transaction() as session:
        job = read_job(session, job_id, principal=ordered_by(caller))
        note = why_waiting(session, job_id, interval=services.settings.heartbeat_interval)
        return JobWithAttempts(**(job.document | note), attempts=read_attempts(session, job_id))


@router.post("/{job_id}/cancel", responses={202: {"model": JobDocument}, **responses(409)}, summary="Cancel a job")
def post_cancel(job_id: JobId, caller: CallerOf, services: ServicesOf, response: Response) -> JobDocument:
    """Cancel a waiting job at once (200), or ask a running one to stop (202)."""
    with services.database.transaction() as session:
        read_job(session, job_id, principal=ordered_by(caller))
        state = cancel_job(session, services.failure_hooks, job_id, by=caller.principal)
        document = JobDocument(**read_job(session, job_id).document)
    if state == "running":
        _accepted(response, job_id)
    return document


@router.post("/{job_id}/retry", status_code=202, responses=responses(409), summary="Try a job again")
def post_retry(job_id: JobId, caller: CallerOf, services: ServicesOf, response: Response) -> JobDocument:
    """Queue a failed, dead or cancelled job again, with a fresh set of attempts."""
    with services.database.transaction() as session:
        job = read_job(session, job_id, principal=ordered_by(caller))
        if isinstance(caller, UserCaller):
            require_room(session, job.document["kind"], principal=caller.principal, most=services.most_live_jobs)
        retry_job(session, job_id, by=caller.principal)
        document = JobDocument(**read_job(session, job_id).document)
    _accepted(response, job_id)
    return document


def _accepted(response: Response, job_id: UUID) -> None:
    """Make it a 202 (RFC 9110 §15.3.3) that says where to poll, and when."""
    response.status_code = 202
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    response.headers["Retry-After"] = RETRY_AFTER
