"""Handle the permanent failure of a channel: it is disabled, and the person is notified by another."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, bindparam, text
from sqlalchemy.orm import Session

from worker.reminders.delivery.claimed import ClaimedDelivery
from worker.reminders.delivery.mark import end

# Messages about the channel itself, which are not sent by another channel.
_OF_THE_CHANNEL = frozenset({"channel-code", "channel-disabled", "test"})

_DISABLE = text(
    """
    UPDATE notification_channels SET disabled_at = now(), disabled_reason = left(:reason, 200)
     WHERE id = :id AND address = :address AND disabled_at IS NULL
    RETURNING extract(epoch FROM disabled_at)::bigint AS at
    """
)
_NOTIFY = text(
    """
    INSERT INTO deliveries (kind, user_id, channel, data, key, due_at)
    VALUES ('channel-disabled', :user_id, 'in_app', :data, :key, now()) ON CONFLICT (key, user_id, channel) DO NOTHING
    """
).bindparams(bindparam("data", type_=JSON))

# An alarm of the lesson itself takes precedence over one of its series, and both over the preferences.
_FALLBACK = text(
    """
    SELECT coalesce(
        (SELECT alarm.fallback FROM lesson_alarms alarm
          WHERE alarm.user_id = :user_id AND alarm.minutes_before = :minutes_before
            AND (alarm.schedule_id = :schedule_id
                 OR alarm.series_id = (SELECT series_id FROM lessons WHERE id = :schedule_id))
          ORDER BY alarm.schedule_id NULLS LAST LIMIT 1),
        (SELECT preference.fallback FROM notification_preferences preference WHERE preference.user_id = :user_id),
        '{}')
    """
)
_SAME_MESSAGE = text("SELECT channel, state FROM deliveries WHERE key = :key AND user_id = :user_id")
_USABLE = text(
    """
    SELECT id::text FROM notification_channels
     WHERE user_id = :user_id AND confirmed_at IS NOT NULL AND disabled_at IS NULL
    """
)
_ALSO_BY = text(
    """
    INSERT INTO deliveries (kind, user_id, channel, schedule_id, entry_id, minutes_before, starts_at, data, key, due_at,
                            expires_at)
    SELECT kind, user_id, :channel, schedule_id, entry_id, minutes_before, starts_at, data, key, now(), expires_at
      FROM deliveries WHERE id = :id
        ON CONFLICT (key, user_id, channel) DO NOTHING
    """
)


def fail(session: Session, delivery: ClaimedDelivery, run: UUID, reason: str, *, channel_is_bad: bool) -> bool:
    """Record a permanent failure; with `channel_is_bad` its channel is disabled and its person notified in the app.

    The message itself is sent by the person's next fallback. Returns False, without effect, if `run` no longer owns it.
    """
    if not end(session, delivery.id, run, state="failed", reason=reason):
        return False
    if channel_is_bad:
        switch_off(session, delivery, reason)
    if delivery.kind not in _OF_THE_CHANNEL:
        _fall_back(session, delivery)
    return True


def put_in_app_instead(session: Session, delivery: ClaimedDelivery) -> None:
    """Send the same message to the app, unless it was sent there; never messages about the channel, like its code."""
    if delivery.kind not in _OF_THE_CHANNEL:
        session.execute(_ALSO_BY, {"id": delivery.id, "channel": "in_app"})


def switch_off(session: Session, delivery: ClaimedDelivery, reason: str) -> None:
    """Disable the delivery's channel, which failed permanently, and notify its person in the app.

    A channel whose address has changed meanwhile stays as it is.
    """
    data: dict[str, Any] = {"label": delivery.label, "reason": reason}
    if delivery.channel_id is not None:
        values = {"id": delivery.channel_id, "address": delivery.address, "reason": reason}
        disabled = session.execute(_DISABLE, values).one_or_none()
        if disabled is None:
            return
        key = f"channel-disabled:{delivery.channel_id}:{disabled.at}"
    else:
        # The account's address cannot be disabled: its person is notified once, until the address changes.
        address = delivery.email or ""
        key = f"channel-disabled:email:{hashlib.sha256(address.encode()).hexdigest()}"
        data = {"label": address, "reason": reason, "of_account": True}
    session.execute(_NOTIFY, {"user_id": delivery.user_id, "data": data, "key": key})


def next_channel(fallback: Sequence[str], usable: frozenset[str], alike: Mapping[str, str]) -> str | None:
    """The channel for a message whose channel failed; None when one of them already has it, sent or pending.

    `alike`: the states of the same message's deliveries, by channel. The app always works, so it is tried last.
    """
    for channel in (*fallback, "in_app"):
        if channel not in alike:
            if channel in usable:
                return channel
        elif alike[channel] in ("pending", "sending", "sent"):
            return None
    return None


def _fall_back(session: Session, delivery: ClaimedDelivery) -> None:
    of_whom = {"user_id": delivery.user_id}
    alarm = {"minutes_before": delivery.minutes_before, "schedule_id": delivery.schedule_id}
    fallback = session.execute(_FALLBACK, {**of_whom, **alarm}).scalar_one()
    alike = {row.channel: row.state for row in session.execute(_SAME_MESSAGE, {**of_whom, "key": delivery.key})}
    usable = frozenset({"email", "in_app", *session.scalars(_USABLE, of_whom)})
    channel = next_channel(fallback, usable, alike)
    if channel is not None:
        session.execute(_ALSO_BY, {"id": delivery.id, "channel": channel})
