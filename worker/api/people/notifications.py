"""Messages in the app: `/v1/me/notifications`, also as server-sent events (WHATWG HTML §9.2)."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Header, Query, Request
from fastapi.sse import KEEPALIVE_COMMENT, format_sse_event
from pydantic import BaseModel, Field
from starlette.responses import Response

from models.notifications import Notification
from worker import clock
from worker.access.callers import UserCaller
from worker.api.http.callers import CallerOf
from worker.api.http.fields import LARGEST_INTEGER, Document, Flag, RowId
from worker.api.http.paging import BY_ID, Cursor, Limit, Page
from worker.api.http.polling_streams import RETRY, Subscriptions
from worker.api.http.problems import responses
from worker.api.http.stream_tickets import TicketDocument, TicketOf
from worker.api.http.subscription_events import SubscriptionEvents
from worker.api.people.notification_streams import InboxSubscription
from worker.api.services import ServicesOf
from worker.errors import Forbidden
from worker.reminders.inbox import InboxCursor, count_unread, list_notifications, mark_all_read, mark_read, read_cursor

router = APIRouter(prefix="/v1/me/notifications", tags=["notifications"], responses=responses(401, 403, 422, 503))

_EVENTS: dict[int | str, dict[str, Any]] = {
    200: {
        "description": 'First an event `unread`, its data `{"unread": 3}`, then one `notification` for each message '
        "that comes, its data the message, and `unread` again whenever that has changed.",
        "content": {"text/event-stream": {}},
    }
}


class NotificationDocument(Document):
    """A message: `kind` is its subject, `data` has the ids of the lesson, request or recording it leads to."""

    id: int
    kind: str
    title: str
    message: str
    data: dict[str, Any]
    created_at: datetime
    read_at: datetime | None


class UnreadDocument(BaseModel):
    """How many messages are unread."""

    unread: int = Field(ge=0)


class NotificationPage(Page[NotificationDocument]):
    """A page of messages, newest first, and how many messages are unread in total."""

    unread: int = Field(ge=0)


def person(caller: CallerOf) -> UserCaller:
    """The caller, who must be a person. Raises Forbidden."""
    if not isinstance(caller, UserCaller):
        raise Forbidden("An operator gets no notifications.")
    return caller


Person = Annotated[UserCaller, Depends(person)]


def cursor_of(caller: Person, services: ServicesOf) -> InboxCursor:
    """The current state of the caller's inbox."""
    with services.database.transaction() as session:
        return read_cursor(session, caller.user_id)


@router.get("", summary="List my notifications")
def get_notifications(
    caller: Person,
    services: ServicesOf,
    unread: Annotated[Flag, Query(description="Only those that are unread.")] = False,
    cursor: Cursor = None,
    limit: Limit = 50,
) -> NotificationPage:
    """The caller's messages in the app, newest first, and how many are unread."""
    with services.database.transaction() as session:
        notifications = list_notifications(
            session, caller.user_id, unread=unread, before=BY_ID.decode(cursor), limit=limit + 1
        )
        items = [NotificationDocument.model_validate(notification) for notification in notifications[:limit]]
        count = count_unread(session, caller.user_id)
    return NotificationPage(
        items=items, next=BY_ID.after([notification.id for notification in notifications], limit), unread=count
    )


@router.post("/read", summary="Mark all my notifications as read")
def post_read_all(caller: Person, services: ServicesOf) -> UnreadDocument:
    """Mark all current notifications as read. Idempotent."""
    with services.database.transaction() as session:
        mark_all_read(session, caller.user_id, now=clock.now())
        return UnreadDocument(unread=count_unread(session, caller.user_id))


@router.post("/{notification_id}/read", responses=responses(404), summary="Mark a notification as read")
def post_read(notification_id: RowId, caller: Person, services: ServicesOf) -> NotificationDocument:
    """Mark the message as read and return it. Idempotent: the first read time is kept."""
    with services.database.transaction() as session:
        notification = mark_read(session, caller.user_id, notification_id, now=clock.now())
        return NotificationDocument.model_validate(notification)


@router.get("/events", response_class=Response, responses=_EVENTS | responses(429), summary="Follow my notifications")
async def get_events(
    request: Request,
    caller: Person,
    cursor: Annotated[InboxCursor, Depends(cursor_of)],
    last_event_id: Annotated[str | None, Header(description="Sent by browsers that come back.")] = None,
) -> Response:
    """Each message as it arrives; `id` is the message's. A client that reconnects gets the messages it missed."""
    subscriptions = cast("Subscriptions[InboxSubscription]", request.app.state.inbox_subscriptions)
    subscription = InboxSubscription(caller, cursor, _id(last_event_id))
    await subscriptions.add(subscription)
    return SubscriptionEvents(
        subscriptions, subscription, _stream(subscription, cursor.newest if last_event_id is None else None)
    )


@router.post("/events/ticket", status_code=201, summary="Get an address to follow my notifications")
def post_events_ticket(_caller: Person, ticket: TicketOf) -> TicketDocument:
    """An address of the stream for a browser's `EventSource`, which sends no token; valid for a minute."""
    return ticket


async def _stream(subscription: InboxSubscription, newest: int | None) -> AsyncIterator[bytes]:
    # With the newest id, so that a client that reconnects before its first message misses none.
    unread = subscription.unread
    yield _unread(unread, id_=newest, retry=RETRY)
    while True:
        if not await subscription.changed():
            yield KEEPALIVE_COMMENT
            continue
        if subscription.ended:
            return
        for notification in subscription.take():
            yield _notification(notification)
        if subscription.unread != unread:
            unread = subscription.unread
            yield _unread(unread)


def _notification(notification: Notification) -> bytes:
    data = NotificationDocument.model_validate(notification).model_dump_json()
    return format_sse_event(event="notification", data_str=data, id=str(notification.id))


def _unread(count: int, *, id_: int | None = None, retry: int | None = None) -> bytes:
    data = UnreadDocument(unread=count).model_dump_json()
    return format_sse_event(event="unread", data_str=data, id=None if id_ is None else str(id_), retry=retry)


def _id(last_event_id: str | None) -> int | None:
    """The id of the last message received; None for a value that our streams do not send."""
    if last_event_id is None or not last_event_id.isascii() or not last_event_id.isdecimal():
        return None
    return min(int(last_event_id[:20]), LARGEST_INTEGER)
