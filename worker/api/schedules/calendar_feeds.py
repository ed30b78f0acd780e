"""A person's calendar for Google Calendar, Outlook, Thunderbird: `/v1/me/calendar` and the feed's secret address."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from starlette.responses import Response

from worker import clock
from worker.access.callers import Caller, UserCaller
from worker.api.http.addresses import public_address
from worker.api.http.callers import AddressOf, CallerOf
from worker.api.http.conditional import conditional_response
from worker.api.http.fields import Document
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.calendars.ics import render
from worker.errors import Forbidden, NotFound
from worker.schedules.feeds.addresses import feed_created_at, find_owner, open_feed, revoke_feed
from worker.schedules.feeds.lessons import read_feed

router = APIRouter(tags=["calendar"], responses=responses(503))

_OWN = "/v1/me/calendar"
_FEED = "/v1/calendar/{secret}.ics"
# Calendar programs poll at most once an hour; a manual refresh shows a change after this many seconds.
_MAX_AGE = 300
_HEADERS = {
    "Content-Type": "text/calendar; charset=utf-8",
    "Content-Disposition": 'inline; filename="astegni.ics"',
    "Cache-Control": f"private, max-age={_MAX_AGE}",
    # Notes contain people's texts: no browser may interpret them as a page.
    "X-Content-Type-Options": "nosniff",
}
_CALENDAR: dict[int | str, dict[str, Any]] = {
    200: {"description": "The calendar (RFC 5545).", "content": {"text/calendar": {"schema": {"type": "string"}}}},
    304: {"description": "Not Modified"},
}
Secret = Annotated[str, Path(description="The secret of the address. Whoever knows it reads the calendar.")]


class FeedAddress(Document):
    """The address to subscribe to. It is returned only once."""

    url: str


class FeedDocument(Document):
    """Whether an address exists, and since when."""

    active: bool
    created_at: datetime | None


@router.post(_OWN, status_code=201, responses=responses(401, 403), summary="Make the address of the own calendar")
def post_calendar(request: Request, caller: CallerOf, services: ServicesOf) -> FeedAddress:
    """Create a secret address; the previous one stops working. `Idempotency-Key` has no effect: no secret is kept."""
    user = _person(caller)
    with services.database.transaction() as session:
        secret = open_feed(session, user.user_id)
    return FeedAddress(url=public_address(request, services.settings, _FEED.format(secret=secret)))


@router.get(_OWN, responses=responses(401, 403), summary="Is there an address of the own calendar?")
def get_calendar(caller: CallerOf, services: ServicesOf) -> FeedDocument:
    """Whether an address exists, without the address itself."""
    with services.database.transaction() as session:
        created_at = feed_created_at(session, _person(caller).user_id)
    return FeedDocument(active=created_at is not None, created_at=created_at)


@router.delete(_OWN, status_code=204, responses=responses(401, 403), summary="Revoke the address of the own calendar")
def delete_calendar(caller: CallerOf, services: ServicesOf) -> None:
    """Revoke the address; it stops working at once. Idempotent."""
    with services.database.transaction() as session:
        revoke_feed(session, _person(caller).user_id)


@router.get(_FEED, response_class=Response, responses=_CALENDAR | responses(404, 422, 429), summary="Read a calendar")
def get_feed(secret: Secret, request: Request, address: AddressOf, services: ServicesOf) -> Response:
    """The lessons of the address's owner, from thirty days ago to the last one stored. Needs no token."""
    timezone = services.settings.timezone
    try:
        with services.database.transaction() as session:
            owner = find_owner(session, secret)
            feed = read_feed(session, owner, now=clock.now(), timezone=timezone)
    except NotFound:
        # Only unknown addresses are counted: Google fetches thousands of existing ones from a single IP address.
        services.counters.take(services.rates.unknown_feeds, address)
        raise
    content = render(feed.name, feed.events, home=feed.timezone)
    return conditional_response(request.headers, content, changed_at=feed.changed_at, headers=_HEADERS)


def _person(caller: Caller) -> UserCaller:
    if not isinstance(caller, UserCaller):
        raise Forbidden("An operator has no calendar.")
    return caller
