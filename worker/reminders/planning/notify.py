"""Notify people now, on the same path as reminders: one delivery for each person and channel."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, bindparam, text
from sqlalchemy.orm import Session

from worker.limits.messages import note_messages
from worker.reminders.planning.preferences import DEFAULTS

# Ordered by person, so that concurrent notifications of the same people do not deadlock.
_INSERT = text(
    """
    INSERT INTO deliveries (kind, user_id, channel, schedule_id, data, key, due_at, expires_at)
    SELECT :kind, users.id, chosen.channel, :schedule_id, CAST(:data AS jsonb), :key, :now, :expires_at
      FROM users
      LEFT JOIN notification_preferences preference ON preference.user_id = users.id
     CROSS JOIN unnest(coalesce(preference.channels, CAST(:channels AS varchar[]))) AS chosen (channel)
     WHERE users.id = ANY(:user_ids) AND users.is_active
     ORDER BY users.id, chosen.channel
        ON CONFLICT (key, user_id, channel) DO NOTHING
    RETURNING id
    """
).bindparams(bindparam("data", type_=JSON))


def notify(
    session: Session,
    kind: str,
    *,
    user_ids: Sequence[int],
    data: Mapping[str, Any],
    key: str,
    now: datetime,
    schedule_id: int | None = None,
    expires_at: datetime | None = None,
) -> int:
    """Notify these people by each of their preferred channels; return how many deliveries are new.

    `data` is what worker.reminders.texts needs and no row will hold any more when it is sent. The same `key` is sent to
    a person only once; inactive people get nothing. Obsolete after `expires_at` (None: never).
    """
    if not user_ids:
        return 0
    values = {"kind": kind, "user_ids": sorted(set(user_ids)), "data": dict(data), "key": key, "now": now}
    values |= {"schedule_id": schedule_id, "expires_at": expires_at, "channels": list(DEFAULTS.channels)}
    new = len(session.scalars(_INSERT, values).all())
    note_messages(session, new)
    return new
