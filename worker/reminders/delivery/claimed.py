"""A batch taken over by its sender, with everything that sending needs to know."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import text

from worker.access.names import name_sql
from worker.database import Executor
from worker.reminders.planning.announcements import BOOKED, CANCELLED, MOVED, RESTORED

# Literals, because the index of announcements has them.
_ANNOUNCEMENTS = ", ".join(f"'{kind}'" for kind in (MOVED, CANCELLED, RESTORED, BOOKED))
# The first delivery of the message that `{row}` delivers. An announcement made later has a higher one, because the
# change that it announces had to lock the lesson; a fallback's own id tells only when the channel failed.
_FIRST = "(SELECT min(first.id) FROM deliveries first WHERE first.key = {row}.key AND first.user_id = {row}.user_id)"
# Later reminders are compared by planned times, since quiet hours and retries move `due_at`. Announcements are compared
# whatever their channels are, because a fallback has another one. One that concerns only some lessons of a group
# contradicts nothing: the others are still what the group's announcement says. A lesson that is back where it was has
# not moved: the text would name one time twice.
_SUPERSEDED = f"""
    CASE WHEN d.kind = 'lesson-reminder' THEN EXISTS (
               SELECT FROM deliveries later
                WHERE later.schedule_id = d.schedule_id AND later.user_id = d.user_id AND later.channel = d.channel
                  AND later.kind = d.kind AND later.starts_at = d.starts_at
                  AND later.minutes_before < d.minutes_before
                  AND later.starts_at - make_interval(mins => later.minutes_before) <= now()
                  AND later.state IN ('pending', 'sending', 'sent', 'failed'))
         WHEN d.kind IN ({_ANNOUNCEMENTS}) THEN EXISTS (
               SELECT FROM deliveries later
                WHERE later.user_id = d.user_id AND later.kind IN ({_ANNOUNCEMENTS})
                  AND (later.kind = :cancelled) <> (d.kind = :cancelled)
                  AND (later.data -> 'schedule_ids') @> (d.data -> 'schedule_ids')
                  AND {_FIRST.format(row="later")} > {_FIRST.format(row="d")})
               OR coalesce(d.kind = :moved AND jsonb_array_length(d.data -> 'schedule_ids') = 1
                           AND lesson.starts_at = CAST(d.data ->> 'before_starts_at' AS timestamptz), false)
         ELSE false END
"""  # noqa: S608 - words of our own
_TAKE = text(
    f"""
    WITH taken AS (
        UPDATE deliveries d
           SET send_token = :run, attempts = attempts + 1, lease_until = now() + make_interval(secs => :lease),
               updated_at = now()
         WHERE d.id = ANY(:ids) AND d.send_token = :token AND d.state = 'sending' RETURNING d.*)
    SELECT d.id, d.kind, d.user_id, d.channel, d.schedule_id, d.entry_id, d.minutes_before, d.starts_at, d.data,
           d.key, d.due_at, d.expires_at, d.attempts, d.created_at,
           person.is_active, person.email,
           coalesce({name_sql("person")}, '') AS name,
           coalesce(preference.language, person.language) AS language,
           coalesce(preference.timezone, person.timezone) AS timezone,
           coalesce(preference.calendar, 'gregorian') AS calendar, preference.quiet_start, preference.quiet_end,
           lesson.status AS lesson_status, lesson.starts_at AS lesson_starts_at,
           entry.rings AS entry_rings, entry.title AS entry_title, entry.timezone AS entry_timezone,
           d.starts_at + entry.lasts AS entry_ends_at,
           stored.id AS channel_id, stored.kind AS stored_kind, stored.address, stored.label,
           stored.confirmed_at IS NOT NULL AS confirmed, stored.disabled_at IS NOT NULL AS disabled,
           {_SUPERSEDED} AS superseded,
           stored.kind = 'email' AND EXISTS (
               SELECT FROM deliveries twin
                WHERE twin.key = d.key AND twin.user_id = d.user_id AND twin.channel = 'email'
                  AND twin.state IN ('pending', 'sending', 'sent')) AS goes_to_account
      FROM taken d
      JOIN users person ON person.id = d.user_id
      LEFT JOIN notification_preferences preference ON preference.user_id = d.user_id
      LEFT JOIN lessons lesson ON lesson.id = d.schedule_id
      LEFT JOIN timetable entry ON entry.id = d.entry_id
      LEFT JOIN notification_channels stored ON stored.user_id = d.user_id
            AND stored.id = CASE WHEN d.channel ~ '^[0-9]{{1,9}}$' THEN d.channel::integer END
     ORDER BY d.due_at, d.id
    """  # noqa: S608 - a part of our own
)


@dataclass(frozen=True)
class ClaimedDelivery:
    """A claimed delivery, and the current state of its person, lesson or entry, and channel (see `_TAKE`)."""

    id: int
    kind: str
    user_id: int
    channel: str
    schedule_id: int | None
    entry_id: int | None
    minutes_before: int | None
    starts_at: datetime | None
    data: dict[str, Any]
    key: str
    due_at: datetime
    expires_at: datetime | None
    attempts: int
    created_at: datetime
    is_active: bool
    email: str | None
    name: str
    language: str
    timezone: str | None
    calendar: str
    quiet_start: time | None
    quiet_end: time | None
    lesson_status: str | None
    lesson_starts_at: datetime | None
    entry_rings: bool | None
    entry_title: str | None
    entry_timezone: str | None
    entry_ends_at: datetime | None
    channel_id: int | None
    stored_kind: str | None
    address: bytes | None
    label: str | None
    confirmed: bool
    disabled: bool
    superseded: bool
    # Set for mail channels: whether the same message also goes to the account's address.
    goes_to_account: bool | None

    @property
    def entry_facts(self) -> dict[str, Any]:
        """What its timetable entry's row contributes to the message; empty without one."""
        if self.entry_id is None or self.starts_at is None or self.entry_ends_at is None:
            return {}
        return {
            "entry_id": self.entry_id,
            "title": self.entry_title,
            "timezone": self.entry_timezone,
            "starts_at": self.starts_at.isoformat(),
            "ends_at": self.entry_ends_at.isoformat(),
        }

    @property
    def channel_kind(self) -> str | None:
        """The kind of its channel; None if the channel was removed."""
        return self.channel if self.channel in ("in_app", "email") else self.stored_kind


def read_claimed(
    executor: Executor, ids: Sequence[int], token: UUID, *, run: UUID, lease: float
) -> list[ClaimedDelivery]:
    """Take over the deliveries of a batch still claimed by `token`; `run` owns them from now on. Earliest due first.

    Counts an attempt for each. A second sender of the same batch gets nothing.
    """
    values = {"ids": list(ids), "token": token, "run": run, "lease": lease}
    values |= {"cancelled": CANCELLED, "moved": MOVED}
    return [ClaimedDelivery(*row) for row in executor.execute(_TAKE, values).fetchall()]
