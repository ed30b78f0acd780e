"""A job as server-sent events: `GET /v1/jobs/{id}/events` (WHATWG HTML §9.2)."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import KEEPALIVE_COMMENT, EventSourceResponse, format_sse_event
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from worker.api.callers import CallerOf
from worker.api.jobs import JobDocument, ordered_by
from worker.api.problems import responses
from worker.api.services import ServicesOf
from worker.api.watching import Watch, Watchers
from worker.jobs.reading import JobView, read_job

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(401, 403, 404, 422, 429, 503))

# Milliseconds until a browser comes back after a lost connection.
_RETRY = 3000
# Seconds of silence after which proxies and phones begin to doubt a connection.
_PING = 15.0
# `no-store`: a stream kept by a cache would be replayed as the present. nginx would hold events back otherwise.
_HEADERS = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}


class JobEvents(EventSourceResponse):
    """The stream of a watched job; however it ends, the watch is released."""

    def __init__(self, watchers: Watchers, watch: Watch, first: JobView | None, *, finished: bool) -> None:
        super().__init__(_stream(watch, first, finished=finished), headers=_HEADERS)
        self._watchers = watchers
        self._watch = watch

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._watchers.release(self._watch)


def watched_job(job_id: UUID, caller: CallerOf, services: ServicesOf) -> JobView:
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
    watchers = cast("Watchers", request.app.state.watchers)
    watch = watchers.watch(caller.principal, job)
    return JobEvents(watchers, watch, None if known else job, finished=job.finished)


async def _stream(watch: Watch, first: JobView | None, *, finished: bool) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=_RETRY) if first is None else _event(first, retry=_RETRY)
    while not finished:
        try:
            async with asyncio.timeout(_PING):
                job = await watch.next()
        except TimeoutError:
            yield KEEPALIVE_COMMENT
            continue
        if job is None:
            return
        yield _event(job)
        finished = job.finished


def _event(job: JobView, *, retry: int | None = None) -> bytes:
    data = JobDocument(**job.document).model_dump_json()
    return format_sse_event(event="job", data_str=data, id=str(job.seq), retry=retry)
