"""Convert local days and times to UTC, with one policy for gaps and overlaps of clock changes."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from worker.errors import InvalidInput

_DAY = timedelta(days=1)


class Instants(NamedTuple):
    """When a lesson begins and ends, in UTC; its duration is always positive."""

    starts_at: datetime
    ends_at: datetime


def instant(day: date, clock: time, zone: ZoneInfo) -> datetime:
    """The instant, in UTC, at which the local time in `zone` is `clock` on `day`.

    Of a time that occurs twice, the first is taken. A time in a gap is read with the offset before the gap (RFC 5545
    §3.3.5), so it moves forward by the gap: 02:30 in New York on 8 March 2026 is 07:30Z, which is 03:30 local time. A
    day that a zone skips entirely (Apia, 30 December 2011) moves likewise, to the same time on the next day.
    """
    try:
        return datetime.combine(day, clock.replace(fold=0), zone).astimezone(UTC)
    except (OverflowError, ValueError) as error:
        raise InvalidInput(f"{day} is too far away to be an instant.") from error


def instants(day: date, start: time, end: time, zone: ZoneInfo) -> Instants:
    """When the lesson of `day` begins and ends.

    Its duration is that of the local times, whatever clock changes occur in between: it is added to the instant of the
    start. An `end` at or before `start` is on the next day, so equal times mean a whole day.
    """
    starts_at = instant(day, start, zone)
    return Instants(starts_at, starts_at + length(start, end))


def instants_of(days: Iterable[date], start: time, end: time, zone: ZoneInfo) -> list[Instants]:
    """When the lessons of many days of one series begin and end."""
    lasts = length(start, end)
    begins = [instant(day, start, zone) for day in days]
    return [Instants(starts_at, starts_at + lasts) for starts_at in begins]


def length(start: time, end: time) -> timedelta:
    """The duration of a lesson from `start` to `end`: more than zero, at most a day."""
    lasts = datetime.combine(date.min, end.replace(tzinfo=None)) - datetime.combine(
        date.min, start.replace(tzinfo=None)
    )
    return lasts if lasts > timedelta() else lasts + _DAY
