"""Does a time zone agree with the platform's rows? Two independent measurements, as pure rules.

Calls: a browser sends its own UTC timestamp when a call ends, and the server writes `ended_at` in its zone. Requests:
nobody asks for lessons before having an account, and accounts have UTC timestamps.
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
# More than one: a browser's clock may be wrong by whole hours.
_FEWEST_ROWS = 2
# Both sides of a call write a row, so three rows in succession come from at least two calls, and not from one wrong
# clock.
_RUN = 3
# One row in ten may contradict.
_TOLERATED = 10
# A request this soon after its account gives a lower bound of the offset too; later ones only give an upper bound.
_SOON = timedelta(hours=1)
_CLOCKS_DIFFER = timedelta(minutes=1)
# Months in which every zone with daylight saving, north or south, is certainly in one of its halves.
_NORTHERN_WINTER, _NORTHERN_SUMMER = frozenset({12, 1, 2}), frozenset({5, 6, 7, 8})


class CallEnd(NamedTuple):
    """The end of a call by two clocks: the server's without a zone, the browser's in UTC."""

    ended_at: datetime
    browser_at: datetime


class Offset(NamedTuple):
    """How far the server's clock was ahead of UTC at one moment."""

    at: datetime
    ahead: timedelta


class FirstRequest(NamedTuple):
    """A person's first request, by the server's clock, and their account's creation, in UTC; both without zones."""

    requested_at: datetime
    account_at: datetime


@dataclass(frozen=True)
class CallEvidence:
    """How the ends of calls agree with a zone. `months` counts usable rows, ordered by (year, month)."""

    rows: int
    contradicting: int
    imprecise: int
    months: Sequence[tuple[tuple[int, int], int]]
    both_halves: bool
    agrees: bool


@dataclass(frozen=True)
class RequestEvidence:
    """How requests agree with a zone: how many came `before` their account, and the `closest` time after it."""

    people: int
    before: int
    closest: timedelta | None

    @property
    def contradicts(self) -> bool:
        """Whether more than a few people asked before they had an account."""
        return self.before * _TOLERATED > self.people

    @property
    def confirms(self) -> bool:
        """Whether the offset cannot be smaller either, because somebody asked soon after signing up."""
        return not self.contradicts and self.closest is not None and self.closest <= _SOON


def measure(calls: Iterable[CallEnd]) -> tuple[list[Offset], int]:
    """The offsets, rounded to a quarter of an hour, ordered by time; and how many rows were too imprecise."""
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
    """Whether people asked after they had an account, by the zone's rules. Ambiguous local times measure nothing."""
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
    """Whether several rows in succession agree on another offset: those of one wrong clock are mixed with others."""
    by_error = groupby(offsets, key=lambda offset: offset.ahead - _ahead(zone, offset.at))
    return any(error and len(list(rows)) >= _RUN for error, rows in by_error)


def _covers_both_halves(offsets: Sequence[Offset], zone: ZoneInfo) -> bool:
    """Whether there are rows from both halves of the year; without daylight saving, from winter and summer."""
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
