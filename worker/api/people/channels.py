"""The caller's notification channels: `/v1/me/channels`."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from models.states import ChannelKind
from worker import clock
from worker.access.callers import Caller, UserCaller
from worker.api.http.callers import CallerOf
from worker.api.http.fields import Body, Document, RowId, Words
from worker.api.http.problems import responses
from worker.api.services import ServicesOf
from worker.channels.destinations import Webhook
from worker.channels.egress import EgressPolicy
from worker.channels.registration import checked_destination
from worker.channels.sealed_addresses import AddressSealer
from worker.errors import Conflict, Forbidden, InvalidInput
from worker.reminders.channel_codes import MAX_GUESSES, confirm
from worker.reminders.channels import (
    find_channel,
    list_channels,
    register_channel,
    remove_channel,
    send_another_code,
)
from worker.reminders.planning.plan import plan_for_person
from worker.workflows.lessons.plan_timetable import plan_entries_of

router = APIRouter(prefix="/v1/me/channels", tags=["channels"], responses=responses(401, 403, 422, 503))


class NewChannel(Body):
    """`address`: a mail address, an https address, or an apprise address like `tgram://token/chat`."""

    kind: ChannelKind
    address: Annotated[Words, Field(min_length=1, max_length=2000)]


class Code(Body):
    """The code that was sent to the channel."""

    code: str = Field(pattern=r"^[0-9]{6}$", examples=["012345"])


class ChannelDocument(Document):
    """A channel, without its address; it is used while it is confirmed and not disabled."""

    id: int
    kind: str
    label: str
    confirmed_at: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None
    created_at: datetime


class NewChannelDocument(ChannelDocument):
    """`secret` signs the requests to a webhook (Standard Webhooks) and is returned only once; null for other kinds."""

    secret: str | None = None


class Channels(Document):
    """All channels of the caller, oldest first; at most ten."""

    items: list[ChannelDocument]
    next: None = None


@router.get("", summary="List the own channels")
def get_channels(caller: CallerOf, services: ServicesOf) -> Channels:
    """The channels that the caller has registered. The account's mail address and the app need no channel."""
    user = _person(caller)
    with services.database.transaction() as session:
        channels = list_channels(session, user.user_id)
        return Channels(items=[ChannelDocument.model_validate(channel) for channel in channels])


@router.post("", status_code=201, responses=responses(409, 429), summary="Register a channel")
def post_channel(body: NewChannel, caller: CallerOf, services: ServicesOf, response: Response) -> NewChannelDocument:
    """Register a channel, unused until it is confirmed by the code that is sent to it.

    An `Idempotency-Key` has no effect, since secrets are not kept; the same address again is 409 and names the channel.
    """
    user = _person(caller)
    destination = checked_destination(body.kind, body.address, EgressPolicy.of(services.settings))
    vault = AddressSealer.of(services.settings)
    with services.database.transaction() as session:
        channel = register_channel(session, vault, user.user_id, destination, now=clock.now())
        document = NewChannelDocument.model_validate(channel)
    response.headers["Location"] = f"/v1/me/channels/{document.id}"
    response.headers["Cache-Control"] = "no-store"
    secret = destination.secret if isinstance(destination, Webhook) else None
    return document.model_copy(update={"secret": secret})


@router.get("/{channel_id}", responses=responses(404), summary="Read a channel")
def get_channel(channel_id: RowId, caller: CallerOf, services: ServicesOf) -> ChannelDocument:
    """One of the caller's channels."""
    with services.database.transaction() as session:
        return ChannelDocument.model_validate(find_channel(session, _person(caller).user_id, channel_id))


@router.delete("/{channel_id}", status_code=204, responses=responses(404), summary="Delete a channel")
def delete_channel(channel_id: RowId, caller: CallerOf, services: ServicesOf) -> None:
    """Delete a channel, also from alarms and preferences; messages that wait for it are sent through the others."""
    user_id = _person(caller).user_id
    with services.database.transaction() as session:
        remove_channel(session, user_id, channel_id)
        plan_for_person(session, user_id, now=clock.now())
        plan_entries_of(session, user_id, now=clock.now())


@router.post("/{channel_id}/confirm", responses=responses(404, 409), summary="Confirm a channel")
def post_confirm(channel_id: RowId, body: Code, caller: CallerOf, services: ServicesOf) -> ChannelDocument:
    """Confirm a channel with the code sent to it, valid for 15 minutes and five attempts. Idempotent once confirmed."""
    user = _person(caller)
    vault = AddressSealer.of(services.settings)
    with services.database.transaction() as session:
        channel = find_channel(session, user.user_id, channel_id)
        guess = confirm(vault, channel, body.code, now=clock.now())
        left = MAX_GUESSES - channel.code_attempts
        document = ChannelDocument.model_validate(channel)
    # After the commit, because a wrong guess must be counted.
    if guess == "wrong":
        raise InvalidInput(f"This is not the code; {left} more guesses.", guesses_left=left)
    if guess == "expired":
        raise Conflict("There is no code to guess any more; ask for another one (`/resend`).")
    return document


@router.post("/{channel_id}/resend", status_code=202, responses=responses(404, 409, 429), summary="Send another code")
def post_resend(channel_id: RowId, caller: CallerOf, services: ServicesOf) -> ChannelDocument:
    """Send a new code to a channel that is unconfirmed or disabled; the previous one becomes invalid."""
    user = _person(caller)
    vault = AddressSealer.of(services.settings)
    with services.database.transaction() as session:
        channel = send_another_code(session, vault, user.user_id, channel_id, now=clock.now())
        return ChannelDocument.model_validate(channel)


def _person(caller: Caller) -> UserCaller:
    if not isinstance(caller, UserCaller):
        raise Forbidden("An operator has no channels.")
    return caller
