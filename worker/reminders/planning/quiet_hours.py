"""Quiet hours: local times between which a person gets no messages."""

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

_DAY = timedelta(days=1)
# The reason of a delivery that was postponed until they end, or dropped.
QUIET_HOURS = "quiet-hours"


def quiet_until(start: time | None, end: time | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the quiet hours that apply at `now` end, as an instant in UTC; None outside quiet hours.

    They last from `start` until before `end`, in local time of `zone`; an `end` before `start` is on the next day, and
    equal times mean no quiet hours. An end in a clock-change gap moves forward with it; of one that occurs twice the
    first counts.
    """
    if start is None or end is None or start == end:
        return None
    local = now.astimezone(zone)
    clock, day = local.time(), local.date()
    if start < end:
        if not start <= clock < end:
            return None
    elif clock >= start:
        day += _DAY
    elif clock >= end:
        return None
    until = datetime.combine(day, end, zone).astimezone(UTC)
    # In the second of two equal hours the end has already passed.
    return until if until > now else None


def quiet_since(start: time | None, end: time | None, zone: ZoneInfo, now: datetime) -> datetime | None:
    """When the quiet hours that apply at `now` began, as an instant in UTC; None outside quiet hours.

    A start in a clock-change gap moves forward with it; of one that occurs twice the first counts.
    """
    if start is None or quiet_until(start, end, zone, now) is None:
        return None
    local = now.astimezone(zone)
    day = local.date() if local.time() >= start else local.date() - _DAY
    return datetime.combine(day, start, zone).astimezone(UTC)
