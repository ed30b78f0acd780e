"""A job as server-sent events: `GET /v1/jobs/{id}/events` (WHATWG HTML §9.2)."""

from collections.abc import AsyncIterator, Collection
from typing import Annotated, cast
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from sqlalchemy.orm import Session
from starlette.responses import Response

from worker.access.callers import Caller
from worker.api.http.callers import CallerOf
from worker.api.http.fields import JobId
from worker.api.http.polling_streams import RETRY, Publish, Subscriptions
from worker.api.http.problems import responses
from worker.api.http.stream_tickets import TicketDocument, TicketOf
from worker.api.http.subscription import Subscription
from worker.api.http.subscription_events import SubscriptionEvents
from worker.api.operations.jobs import JobDocument, ordered_by
from worker.api.services import ServicesOf
from worker.jobs.operations.reading import JobView, read_job, read_jobs

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], responses=responses(401, 403, 404, 422, 429, 503))


class JobSubscription(Subscription):
    """An open stream of one job. It keeps only the latest state: a slow client misses steps, never the end."""

    def __init__(self, caller: Caller, view: JobView) -> None:
        super().__init__(caller)
        self.job_id = UUID(view.document["id"])
        self.latest = view

    def publish(self, latest: JobView | None) -> None:
        """Store the latest state; end the stream if the job no longer exists (None) or is hidden from the caller."""
        if latest is None or not latest.is_shown_to(ordered_by(self.caller)):
            self.end()
        elif latest.seq != self.latest.seq:
            self.latest = latest
            self.notify()


def read_job_updates(session: Session, subscriptions: Collection[JobSubscription]) -> Publish:
    """Read the jobs of all subscriptions in one query."""
    views = read_jobs(session, {subscription.job_id for subscription in subscriptions})

    def publish() -> None:
        for subscription in subscriptions:
            subscription.publish(views.get(subscription.job_id))

    return publish


def watched_job(job_id: JobId, caller: CallerOf, services: ServicesOf) -> JobView:
    """The job's current state. Raises NotFound if the caller may not see it."""
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
    """The job's current state, then each change until it has ended. `id` is the number of the change."""
    known = last_event_id == str(job.seq)
    if known and job.finished:
        # A browser reconnects whenever a stream ends; only a 204 prevents that.
        return Response(status_code=204)
    subscriptions = cast("Subscriptions[JobSubscription]", request.app.state.subscriptions)
    subscription = JobSubscription(caller, job)
    await subscriptions.add(subscription)
    return SubscriptionEvents(subscriptions, subscription, _stream(subscription, None if known else job))


@router.post("/{job_id}/events/ticket", status_code=201, summary="Get an address to follow a job")
def post_events_ticket(_job: Annotated[JobView, Depends(watched_job)], ticket: TicketOf) -> TicketDocument:
    """An address of the job's stream for a browser's `EventSource`, which sends no token; valid for a minute."""
    return ticket


async def _stream(subscription: JobSubscription, first: JobView | None) -> AsyncIterator[bytes]:
    yield format_sse_event(retry=RETRY) if first is None else _event(first, retry=RETRY)
    while not subscription.latest.finished:
        if not await subscription.changed():
            yield KEEPALIVE_COMMENT
            continue
        if subscription.ended:
            return
        yield _event(subscription.latest)


def _event(job: JobView, *, retry: int | None = None) -> bytes:
    data = JobDocument(**job.document).model_dump_json()
    return format_sse_event(event="job", data_str=data, id=str(job.seq), retry=retry)
