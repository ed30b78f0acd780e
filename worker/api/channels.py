"""The ways to reach oneself: `/v1/me/channels`."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter
from pydantic import Field
from starlette.responses import Response

from worker import clock
from worker.access.callers import Caller, UserCaller
from worker.api.callers import CallerOf
from worker.api.fields import Body, Document, RowId, Words
from worker.api.problems import responses
from worker.api.services import ServicesOf
from worker.channels.destinations import Webhook
from worker.channels.egress import EgressPolicy
from worker.channels.registration import checked_destination
from worker.channels.sealed_addresses import AddressSealer
from worker.errors import Conflict, Forbidden, InvalidInput
from worker.reminders.channel_codes import MOST_GUESSES, confirm
from worker.reminders.channels import (
    find_channel,
    list_channels,
    register_channel,
    remove_channel,
    send_another_code,
)
from worker.reminders.planning.plan import plan_for_person

router = APIRouter(prefix="/v1/me/channels", tags=["channels"], responses=responses(401, 403, 422, 503))


class NewChannel(Body):
    """`address`: a mail address, an https address, or one of apprise like `tgram://token/chat`."""

    kind: Literal["email", "webhook", "apprise"]
    address: Annotated[Words, Field(min_length=1, max_length=2000)]


class Code(Body):
    """The code that was sent to the channel."""

    code: str = Field(pattern=r"^[0-9]{6}$", examples=["012345"])


class ChannelDocument(Document):
    """A channel. Its address is never told again; it is used while confirmed and not disabled."""

    id: int
    kind: str
    label: str
    confirmed_at: datetime | None
    disabled_at: datetime | None
    disabled_reason: str | None
    created_at: datetime


class NewChannelDocument(ChannelDocument):
    """`secret`: signs what a webhook gets (Standard Webhooks); told now and never again. Others have none."""

    secret: str | None = None


class Channels(Document):
    """All of the caller's, oldest first; there are ten at most."""

    items: list[ChannelDocument]
    next: None = None


@router.get("", summary="List the own channels")
def get_channels(caller: CallerOf, services: ServicesOf) -> Channels:
    """Those that the caller has registered. The account's own mail address and the app need no channel."""
    user = _person(caller)
    with services.database.transaction() as session:
        channels = list_channels(session, user.user_id)
        return Channels(items=[ChannelDocument.model_validate(channel) for channel in channels])


@router.post("", status_code=201, responses=responses(409, 429), summary="Register a channel")
def post_channel(body: NewChannel, caller: CallerOf, services: ServicesOf, response: Response) -> NewChannelDocument:
    """Unused until confirmed by the code that is sent there. An `Idempotency-Key` has no effect: no secret is kept;
    the same address once more is 409 and names the channel.
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
    """One channel of the caller's."""
    with services.database.transaction() as session:
        return ChannelDocument.model_validate(find_channel(session, _person(caller).user_id, channel_id))


@router.delete("/{channel_id}", status_code=204, responses=responses(404), summary="Delete a channel")
def delete_channel(channel_id: RowId, caller: CallerOf, services: ServicesOf) -> None:
    """Nothing goes there any more, and alarms and preferences no longer name it: what waited goes by the others."""
    user_id = _person(caller).user_id
    with services.database.transaction() as session:
        remove_channel(session, user_id, channel_id)
        plan_for_person(session, user_id, now=clock.now())


@router.post("/{channel_id}/confirm", responses=responses(404, 409), summary="Confirm a channel")
def post_confirm(channel_id: RowId, body: Code, caller: CallerOf, services: ServicesOf) -> ChannelDocument:
    """By the code that was sent there: good for a quarter of an hour and five guesses. Confirmed stays confirmed."""
    user = _person(caller)
    vault = AddressSealer.of(services.settings)
    with services.database.transaction() as session:
        channel = find_channel(session, user.user_id, channel_id)
        guess = confirm(vault, channel, body.code, now=clock.now())
        left = MOST_GUESSES - channel.code_attempts
        document = ChannelDocument.model_validate(channel)
    # After the commit: a wrong guess counts.
    if guess == "wrong":
        raise InvalidInput(f"This is not the code; {left} more guesses.", guesses_left=left)
    if guess == "expired":
        raise Conflict("There is no code to guess any more; ask for another one (`/resend`).")
    return document


@router.post("/{channel_id}/resend", status_code=202, responses=responses(404, 409, 429), summary="Send another code")
def post_resend(channel_id: RowId, caller: CallerOf, services: ServicesOf) -> ChannelDocument:
    """A new code to a channel that is unconfirmed or disabled; the one before does nothing any more."""
    user = _person(caller)
    vault = AddressSealer.of(services.settings)
    with services.database.transaction() as session:
        channel = send_another_code(session, vault, user.user_id, channel_id, now=clock.now())
        return ChannelDocument.model_validate(channel)


def _person(caller: Caller) -> UserCaller:
    if not isinstance(caller, UserCaller):
        raise Forbidden("An operator has no channels.")
    return caller
