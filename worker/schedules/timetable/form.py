"""The platform's form of a timetable entry, normalised, and the recurrence that it means. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Protocol

from worker.calendars.zones import zone
from worker.errors import InvalidInput
from worker.recurrence.instants import Instants, instants_of
from worker.recurrence.names import MONTHS, WEEKDAYS
from worker.recurrence.platform_days import dates_of, months_of, weekdays_of
from worker.recurrence.platform_form import PlatformForm
from worker.recurrence.request import Recurrence, TimeRequest, read_recurrence

RECURRING, SPECIFIC = "recurring", "specific"
# Longer than any entry, and than the difference between a local and a UTC day.
_MARGIN = timedelta(days=2)


@dataclass(frozen=True)
class EntryDays:
    """The days of an entry as stored: names in the order of week and year, without fields of the other type."""

    schedule_type: str
    year: int
    months: Sequence[str] = ()
    days: Sequence[str] = ()
    specific_dates: Sequence[date] = ()

    @property
    def is_empty(self) -> bool:
        """Whether they name no day at all."""
        return not (self.days if self.schedule_type == RECURRING else self.specific_dates)


class Entry(Protocol):
    """What the times of an entry depend on; see `models.timetable.TimetableEntry`."""

    schedule_type: str
    year: int
    months: list[str]
    days: list[str]
    specific_dates: list[date]
    start_time: time
    end_time: time
    timezone: str


def entry_days(form: PlatformForm, year: int) -> EntryDays:
    """The form's days. Forms also send leftovers of the other type, which are dropped unread.

    A form without days is accepted here. Raises InvalidInput for an unknown name or an invalid date.
    """
    if form.is_specific():
        dates = tuple(dates_of(form.specific_dates)) if form.specific_dates else ()
        return EntryDays(SPECIFIC, year, specific_dates=dates)
    months = tuple(MONTHS[month - 1] for month in months_of(form.months, "GREGORIAN"))
    return EntryDays(RECURRING, year, months, tuple(WEEKDAYS[day] for day in weekdays_of(form.days)))


def recurrence_of(entry: Entry) -> Recurrence | None:
    """The entry's recurrence; None when it names no day. A weekly one begins with `year` and has no end."""
    days = EntryDays(entry.schedule_type, entry.year, entry.months, entry.days, entry.specific_dates)
    if days.is_empty:
        return None
    form = PlatformForm(SPECIFIC, specific_dates=days.specific_dates)
    if days.schedule_type == RECURRING:
        form = PlatformForm(RECURRING, days.months, days.days)
    begin = date(days.year, 1, 1)
    return read_recurrence(TimeRequest(begin, entry.start_time, entry.end_time, entry.timezone, form=form))


def occurrences(entry: Entry, since: datetime, until: datetime) -> list[Instants]:
    """The occurrences that begin at or after `since` and before `until`, in order."""
    recurrence = recurrence_of(entry)
    if recurrence is None:
        return []
    days = recurrence.days((since - _MARGIN).date(), (until + _MARGIN).date())
    return [when for when in _instants(recurrence, days) if since <= when.starts_at < until]


def next_occurrence(entry: Entry, now: datetime) -> Instants | None:
    """The occurrence that is in progress or comes next; None if there is none."""
    recurrence = recurrence_of(entry)
    if recurrence is None:
        return None
    # Some of the days around now have already ended.
    days = recurrence.next_days(2 * _MARGIN.days + 1, (now - _MARGIN).date())
    return next((when for when in _instants(recurrence, days) if when.ends_at > now), None)


def require_days(days: EntryDays) -> None:
    """Raise InvalidInput for a form without any day."""
    if days.is_empty and days.schedule_type == RECURRING:
        raise InvalidInput('days: name at least one day of the week, such as "Monday".')
    if days.is_empty:
        raise InvalidInput('specific_dates: name at least one date, such as "2026-01-31".')


def _instants(recurrence: Recurrence, days: Sequence[date]) -> Iterator[Instants]:
    yield from instants_of(days, recurrence.start_time, recurrence.end_time, zone(recurrence.timezone))
