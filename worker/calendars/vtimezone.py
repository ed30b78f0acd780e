"""A time zone in an iCalendar file: VTIMEZONE (RFC 5545 §3.6.5), from the pinned database."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from worker.calendars.zones import zone

_DAY = timedelta(days=1)
_SECOND = timedelta(seconds=1)
_WEEKDAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


@dataclass(frozen=True)
class Onset:
    """A change of a zone's offset. `at` is local time in the offset before the change."""

    at: datetime
    offset_from: timedelta
    offset_to: timedelta
    name: str

    @property
    def kind(self) -> str:
        """DAYLIGHT when clocks go forward: all readers expect this, even where the law defines it the other way."""
        return "DAYLIGHT" if self.offset_to > self.offset_from else "STANDARD"


@lru_cache(maxsize=256)
def vtimezone(name: str, first_year: int, last_year: int) -> tuple[str, ...]:
    """The lines of the zone's VTIMEZONE, correct for every instant of these years. Raises InvalidInput.

    Where clocks change by one rule in all these years, there is one STANDARD and one DAYLIGHT with that rule: Outlook
    accepts no other form. Otherwise (Casablanca, where Ramadan moves) every change is listed.
    """
    # A year before, so that an offset is in force when the first day begins; a year after, so that rules occur 3 times.
    years = range(first_year - 1, last_year + 2)
    since = datetime(years.start, 1, 1, tzinfo=UTC)
    place = zone(name)
    onsets = list(_onsets(place, since, datetime(years.stop, 1, 1, tzinfo=UTC)))
    observances = _by_rule(onsets, years) or [(_start(place, since, onsets), ""), *((onset, "") for onset in onsets)]
    lines = [line for onset, rule in observances for line in _observance(onset, rule)]
    return "BEGIN:VTIMEZONE", f"TZID:{name}", *lines, "END:VTIMEZONE"


def _onsets(place: ZoneInfo, since: datetime, until: datetime) -> Iterator[Onset]:
    """The changes of the zone's offset. No zone still has two within one day."""
    low, before = since, _offset(place, since)
    while low < until:
        high = low + _DAY
        after = _offset(place, high)
        if after != before:
            yield _onset_between(place, low, high)
        low, before = high, after


def _onset_between(place: ZoneInfo, low: datetime, high: datetime) -> Onset:
    before = _offset(place, low)
    while high - low > _SECOND:
        middle = low + (high - low) // 2
        low, high = (middle, high) if _offset(place, middle) == before else (low, middle)
    high = high.replace(microsecond=0)
    local = (high + before).replace(tzinfo=None)
    return Onset(local, before, _offset(place, high), high.astimezone(place).tzname() or "")


def _by_rule(onsets: Iterable[Onset], years: range) -> list[tuple[Onset, str]]:
    """The two onsets that recur each year, each with its RRULE; empty when the zone has no such rule."""
    groups: dict[tuple[timedelta, timedelta], list[Onset]] = defaultdict(list)
    for onset in onsets:
        groups[onset.offset_from, onset.offset_to].append(onset)
    ruled = [
        (group[0], _rule(group)) for group in groups.values() if [member.at.year for member in group] == list(years)
    ]
    return ruled if len(ruled) == len(groups) == 2 and all(rule for _, rule in ruled) else []


def _rule(onsets: Sequence[Onset]) -> str:
    """An RRULE by weekday of a month (such as its last Sunday) that all of them follow; empty when there is none."""
    if len({(onset.at.month, onset.at.weekday(), onset.at.time()) for onset in onsets}) > 1:
        return ""
    first = onsets[0].at
    ordinals = {(onset.at.day - 1) // 7 + 1 for onset in onsets}
    if all((onset.at + 7 * _DAY).month != first.month for onset in onsets):
        ordinals = {-1}
    if len(ordinals) > 1:
        return ""
    return f"FREQ=YEARLY;BYMONTH={first.month};BYDAY={ordinals.pop()}{_WEEKDAYS[first.weekday()]}"


def _start(place: ZoneInfo, since: datetime, onsets: Sequence[Onset]) -> Onset:
    """The offset before the first change; for a zone without changes, from 1970 on."""
    offset = _offset(place, since)
    local = since.replace(tzinfo=None) if onsets else datetime(1970, 1, 1)  # noqa: DTZ001 - local, so without a zone
    return Onset(local, offset, offset, since.astimezone(place).tzname() or "")


def _observance(onset: Onset, rule: str) -> Iterator[str]:
    yield f"BEGIN:{onset.kind}"
    yield f"DTSTART:{onset.at:%Y%m%dT%H%M%S}"
    if rule:
        yield f"RRULE:{rule}"
    yield f"TZOFFSETFROM:{_written(onset.offset_from)}"
    yield f"TZOFFSETTO:{_written(onset.offset_to)}"
    yield f"TZNAME:{onset.name}"
    yield f"END:{onset.kind}"


def _offset(place: ZoneInfo, instant: datetime) -> timedelta:
    return instant.astimezone(place).utcoffset() or timedelta()


def _written(offset: timedelta) -> str:
    """UTC-OFFSET (RFC 5545 §3.3.14)."""
    minutes, seconds = divmod(abs(int(offset.total_seconds())), 60)
    sign = "-" if offset < timedelta() else "+"
    return f"{sign}{minutes // 60:02}{minutes % 60:02}" + (f"{seconds:02}" if seconds else "")
