"""Does a time zone agree with the platform's rows? Two independent measurements, as rules over what was read.

Calls: a browser sends its own UTC stamp when a call ends, and the server writes `ended_at` in its zone. Requests:
nobody asks for lessons before having an account, and accounts are stamped in UTC.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from worker.recurrence.instants import instant

_QUARTER = timedelta(minutes=15)
# A browser's clock this far from a whole quarter of an hour is wrong, and its row measures nothing.
_IMPRECISE = timedelta(minutes=5)
# A single row may be of a browser that is wrong by whole hours.
_FEWEST_ROWS = 2
# Both sides of a call write a row, so three in succession are two calls at least, and no single wrong browser's.
_RUN = 3
# One row in ten may contradict.
_TOLERATED = 10
# A request this soon after its account measures from above; later ones only say that the offset is not larger.
_SOON = timedelta(hours=1)
_CLOCKS_DIFFER = timedelta(minutes=1)
# The months in which every zone with daylight saving, north or south, is surely in one of its halves.
_NORTHERN_WINTER, _NORTHERN_SUMMER = frozenset({12, 1, 2}), frozenset({5, 6, 7, 8})


class CallEnd(NamedTuple):
    """The end of a call by two clocks: the server's without a zone, the browser's in UTC."""

    ended_at: datetime
    browser_at: datetime


class Offset(NamedTuple):
    """What the server's clock was ahead of UTC at one moment."""

    at: datetime
    ahead: timedelta


class FirstRequest(NamedTuple):
    """A person's first request by the server's clock, and their account in UTC, both without a zone."""

    requested_at: datetime
    account_at: datetime


@dataclass(frozen=True)
class CallEvidence:
    """How the ends of calls agree with a zone. `months` counts usable rows, (year, month) in order."""

    rows: int
    contradicting: int
    imprecise: int
    months: Sequence[tuple[tuple[int, int], int]]
    both_halves: bool
    agrees: bool


@dataclass(frozen=True)
class RequestEvidence:
    """How requests agree with a zone: `before` are earlier than their account, `closest` is the least time after it."""

    people: int
    before: int
    closest: timedelta | None

    @property
    def contradicts(self) -> bool:
        """Whether more people than a few asked before they had an account."""
        return self.before * _TOLERATED > self.people

    @property
    def confirms(self) -> bool:
        """Whether the offset can be no smaller either, since somebody asked soon after signing up."""
        return not self.contradicts and self.closest is not None and self.closest <= _SOON


def measure(calls: Iterable[CallEnd]) -> tuple[list[Offset], int]:
    """The offsets, to a quarter of an hour, in the order of time; and how many rows were too imprecise."""
    offsets: list[Offset] = []
    imprecise = 0
    for ended_at, browser_at in calls:
        difference = ended_at - browser_at.astimezone(UTC).replace(tzinfo=None)
        ahead = round(difference / _QUARTER) * _QUARTER
        if abs(difference - ahead) > _IMPRECISE:
            imprecise += 1
        else:
            offsets.append(Offset(browser_at.astimezone(UTC), ahead))
    return sorted(offsets), imprecise


def compare_calls(offsets: Sequence[Offset], imprecise: int, zone: ZoneInfo) -> CallEvidence:
    """Whether the zone's rules give the measured offsets, for all but a few rows."""
    contradicting = sum(offset.ahead != _ahead(zone, offset.at) for offset in offsets)
    months = sorted(Counter((offset.at.year, offset.at.month) for offset in offsets).items())
    agrees = (
        len(offsets) >= _FEWEST_ROWS
        and contradicting * _TOLERATED <= len(offsets)
        and not _contradicts_in_succession(offsets, zone)
    )
    return CallEvidence(len(offsets), contradicting, imprecise, months, _covers_both_halves(offsets, zone), agrees)


def compare_requests(requests: Iterable[FirstRequest], zone: ZoneInfo) -> RequestEvidence:
    """Whether people asked after they had an account, by the zone's rules. Times that came twice measure nothing."""
    delays = [
        instant(requested_at.date(), requested_at.time(), zone) - account_at.replace(tzinfo=UTC)
        for requested_at, account_at in requests
        if not _came_twice(requested_at, zone)
    ]
    before = sum(delay < -_CLOCKS_DIFFER for delay in delays)
    after = [max(delay, timedelta()) for delay in delays if delay >= -_CLOCKS_DIFFER]
    return RequestEvidence(len(delays), before, min(after, default=None))


def _ahead(zone: ZoneInfo, at: datetime) -> timedelta:
    return at.astimezone(zone).utcoffset() or timedelta()


def _contradicts_in_succession(offsets: Sequence[Offset], zone: ZoneInfo) -> bool:
    """Whether several rows in succession agree on another offset: a wrong browser's are among those of others."""
    by_error = groupby(offsets, key=lambda offset: offset.ahead - _ahead(zone, offset.at))
    return any(error and len(list(rows)) >= _RUN for error, rows in by_error)


def _covers_both_halves(offsets: Sequence[Offset], zone: ZoneInfo) -> bool:
    """Whether rows lie on both sides of a change of clocks; without daylight saving, where others would have one."""
    if not offsets:
        return False
    year = offsets[-1].at.year
    of_year = {_ahead(zone, datetime(year, month, 1, tzinfo=UTC)) for month in range(1, 13)}
    if len(of_year) > 1:
        return of_year <= {_ahead(zone, offset.at) for offset in offsets}
    months = {offset.at.month for offset in offsets}
    return bool(months & _NORTHERN_WINTER and months & _NORTHERN_SUMMER)


def _came_twice(local: datetime, zone: ZoneInfo) -> bool:
    first, second = (local.replace(tzinfo=zone, fold=fold).utcoffset() for fold in (0, 1))
    return first != second
