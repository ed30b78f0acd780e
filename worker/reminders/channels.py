"""The channels of a person: stored encrypted, and used once confirmed by a code sent to them."""

from datetime import datetime

from sqlalchemy import delete, func, select, text
from sqlalchemy.orm import Session

from models.reminders import NotificationChannel
from worker.channels.destinations import Destination, Mailbox, MessageService, Webhook, from_text, kind_of, to_text
from worker.channels.errors import TemporaryFailure
from worker.channels.masked_labels import label_of
from worker.channels.sealed_addresses import AddressSealer
from worker.errors import Conflict, NotFound
from worker.reminders.channel_codes import order_code
from worker.reminders.planning.preferences import lock_person

MAX_CHANNELS = 10

_LOCK = 0x63686E6C  # "chnl"

# Nothing may name a deleted channel. An alarm left without channels uses those of the preferences, and preferences left
# without any use the defaults. Reminders are left to the planner, which locks the lessons and entries first; one that
# is not planned again finds no channel when it is due.
_FORGET = tuple(
    text(statement)
    for statement in (
        """UPDATE lesson_alarms SET channels = nullif(array_remove(channels, :name), '{}'),
                  fallback = array_remove(fallback, :name)
            WHERE user_id = :user_id AND (:name = ANY(channels) OR :name = ANY(fallback))""",
        """UPDATE notification_preferences SET fallback = array_remove(fallback, :name), updated_at = now(),
                  channels = coalesce(nullif(array_remove(channels, :name), '{}'), '{email,in_app}')
            WHERE user_id = :user_id AND (:name = ANY(channels) OR :name = ANY(fallback))""",
        """UPDATE deliveries SET state = 'cancelled', reason = 'channel-deleted', updated_at = now()
            WHERE user_id = :user_id AND channel = :name AND state = 'pending'
              AND kind NOT IN ('lesson-reminder', 'entry-reminder')""",
    )
)


def list_channels(session: Session, user_id: int) -> list[NotificationChannel]:
    """All channels of the person, oldest first."""
    statement = select(NotificationChannel).where(NotificationChannel.user_id == user_id)
    return list(session.scalars(statement.order_by(NotificationChannel.id)))


def find_channel(session: Session, user_id: int, channel_id: int) -> NotificationChannel:
    """Lock and return one of the person's channels. Raises NotFound."""
    statement = select(NotificationChannel).where(
        NotificationChannel.id == channel_id, NotificationChannel.user_id == user_id
    )
    channel = session.scalar(statement.with_for_update())
    if channel is None:
        raise NotFound(f"There is no channel {channel_id} of yours.")
    return channel


def register_channel(
    session: Session, vault: AddressSealer, user_id: int, destination: Destination, *, now: datetime
) -> NotificationChannel:
    """Store a new channel, unused until confirmed, and order the code that confirms it.

    Raises Conflict when there are too many or this one exists already, TooManyCodes.
    """
    _lock_person(session, user_id)
    own = list_channels(session, user_id)
    if len(own) >= MAX_CHANNELS:
        raise Conflict(f"You have {len(own)} channels, and {MAX_CHANNELS} are the most; delete one first.")
    for channel in own:
        if _is_same(vault, channel, destination):
            raise Conflict(f"You have this channel already: {channel.id}.{_remedy(channel)}", channel_id=channel.id)
    channel = NotificationChannel(
        user_id=user_id,
        kind=kind_of(destination),
        address=vault.seal(to_text(destination)),
        label=label_of(destination),
    )
    session.add(channel)
    session.flush()
    order_code(session, vault, channel, now=now)
    session.refresh(channel)
    return channel


def send_another_code(
    session: Session, vault: AddressSealer, user_id: int, channel_id: int, *, now: datetime
) -> NotificationChannel:
    """Order a new code; the previous one becomes invalid. Raises NotFound, Conflict, TooManyCodes.

    A disabled channel becomes unconfirmed, like a new one, so that only the code is sent to it.
    """
    _lock_person(session, user_id)
    channel = find_channel(session, user_id, channel_id)
    if is_in_use(channel):
        raise Conflict("This channel is confirmed already.")
    channel.confirmed_at = channel.disabled_at = channel.disabled_reason = None
    order_code(session, vault, channel, now=now)
    return channel


def remove_channel(session: Session, user_id: int, channel_id: int) -> None:
    """Delete a channel, with everything that names it or waits to be sent to it. Raises NotFound.

    The caller plans the person's reminders again (worker.reminders.planning.plan), in the same transaction.
    """
    lock_person(session, user_id)
    channel = find_channel(session, user_id, channel_id)
    for statement in _FORGET:
        session.execute(statement, {"user_id": user_id, "name": str(channel.id)})
    session.execute(delete(NotificationChannel).where(NotificationChannel.id == channel.id))


def is_in_use(channel: NotificationChannel) -> bool:
    """Whether messages are sent to it; codes are sent in any case."""
    return channel.confirmed_at is not None and channel.disabled_at is None


def read_destination(vault: AddressSealer, channel: NotificationChannel) -> Destination:
    """The channel's address. Raises TemporaryFailure when this process lacks the key."""
    return from_text(vault.open(channel.address))


def _lock_person(session: Session, user_id: int) -> None:
    """Serialise changes of a person's channels, so that limits hold; nothing else waits for this lock."""
    session.execute(select(func.pg_advisory_xact_lock(_LOCK, user_id)))


def _is_same(vault: AddressSealer, channel: NotificationChannel, destination: Destination) -> bool:
    """Whether both have the same address. An address that can no longer be decrypted never counts as the same."""
    try:
        return _place(read_destination(vault, channel)) == _place(destination)
    except TemporaryFailure:
        return False


def _remedy(channel: NotificationChannel) -> str:
    """How to bring an unused channel into use."""
    if channel.disabled_at is not None:
        return " It was switched off; confirm it by a new code (`/resend`)."
    if channel.confirmed_at is None:
        return " It is not confirmed yet: say the code that went there, or have a new one sent (`/resend`)."
    return ""


def _place(destination: Destination) -> tuple[type[Mailbox | Webhook | MessageService], str]:
    where = destination.address if isinstance(destination, Mailbox) else destination.url
    return type(destination), where
