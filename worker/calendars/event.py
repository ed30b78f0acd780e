"""A lesson or a free slot, as a calendar shows it."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class Event:
    """One lesson or slot. Instants are aware; `timezone` is an IANA name (None or unknown: times are given in UTC).

    `rrule` repeats the event from `starts_at` on, by the local clock. `sequence` and `changed_at` must increase with
    every change. With `busy` False the time is free. A `url` other than http or https is omitted. `organizer` is a mail
    address; empty in calendars for subscription.
    """

    uid: str
    sequence: int
    created_at: datetime
    changed_at: datetime
    starts_at: datetime
    ends_at: datetime
    timezone: str | None
    summary: str
    cancelled: bool = False
    busy: bool = True
    description: str = ""
    location: str = ""
    url: str = ""
    categories: tuple[str, ...] = ()
    rrule: str = ""
    organizer: str = ""
