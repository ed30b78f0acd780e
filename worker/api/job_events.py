"""A job as server-sent events: `GET /v1/jobs/{id}/events` (WHATWG HTML §9.2)."""

from collections.abc import AsyncIterator, Collection
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.orm import Session
from starlette.responses import Response

from worker.access.callers import Caller
from worker.api.callers import CallerOf
from worker.api.fields import JobId
from worker.api.jobs import JobDocument, ordered_by
from worker.api.polling_streams import RETRY, Tell, Watch, WatchedEvents, Watchers
from worker.api.problems import responses
from worker.api.services import ServicesOf
from worker.api.stream_tickets import TicketDocument, TicketOf
from worker.jobs.reading import JobView, read_job, read_jobs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(401, 403, 404, 422, 429, 503))


class JobWatch(Watch):
    """A stream's view of a job. It holds the latest state only: a slow client misses steps, never the end."""

    def __init__(self, caller: Caller, seen: JobView) -> None:
        super().__init__(caller)
        self.job_id = UUID(seen.document["id"])
        self.latest = seen

    def tell(self, latest: JobView | None) -> None:
        """Hand over what the ledger says now; None when the job is no longer there, or not theirs to see."""
        if latest is None or not latest.is_shown_to(ordered_by(self.caller)):
            self.end()
        elif latest.seq != self.latest.seq:
            self.latest = latest
            self.stir()


def read_watched_jobs(session: Session, watches: Collection[JobWatch]) -> Tell:
    """How the poller of watched jobs reads them: all in one query."""
    found = read_jobs(session, {watch.job_id for watch in watches})

    def tell() -> None:
        for watch in watches:
            watch.tell(found.get(watch.job_id))

    return tell


def watched_job(job_id: JobId, caller: CallerOf, services: ServicesOf) -> JobView:
    """The job as it is now. Raises NotFound when the caller may not see it."""
    with services.database.transaction() as session:
        return read_job(session, job_id, principal=ordered_by(caller))


@router.get(
    "/{job_id}/events",
    response_class=Response,
    responses={
        200: {"description": "Events `job`, their data the job.", "content": {"text/event-stream": {}}},
        204: {"description": "The job is over and its last event was received: do not come back."},
    },
    summary="Follow a job",
)
async def get_events(
    request: Request,
    caller: CallerOf,
    job: Annotated[JobView, Depends(watched_job)],
    last_event_id: Annotated[str | None, Header(description="Sent by browsers that come back.")] = None,
) -> Response:
    """The job now, then each change, until it is over. `id` is the number of the change."""
    known = last_event_id == str(job.seq)
    if known and job.finished:
        # A browser comes back after every end of a stream; only this answer tells it not to.
        return Response(status_code=204)
    watchers = cast("Watchers[JobWatch]", request.app.state.watchers)
    watch = JobWatch(caller, job)
    await watchers.add(watch)
    return WatchedEvents(watchers, watch, _stream(watch, None if known else job))


@router.post("/{job_id}/events/ticket", status_code=201, summary="Get an address to follow a job")
def post_events_ticket(_job: Annotated[JobView, Depends(watched_job)], ticket: TicketOf) -> TicketDocument:
    """An address of the job's stream for a browser's `EventSource`, which sends no token. It opens for a minute."""
    return ticket


async def _stream(watch: JobWatch, first: JobView | None) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=RETRY) if first is None else _event(first, retry=RETRY)
    while not watch.latest.finished:
        if not await watch.changed():
            yield KEEPALIVE_COMMENT
            continue
        if watch.ended:
            return
        yield _event(watch.latest)


def _event(job: JobView, *, retry: int | None = None) -> bytes:
    data = JobDocument(**job.document).model_dump_json()
    return format_sse_event(event="job", data_str=data, id=str(job.seq), retry=retry)
