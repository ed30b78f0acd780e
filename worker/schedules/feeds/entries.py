"""Convert an entry of the owner's timetable to calendar events: a weekly one is a single event that repeats."""

from collections.abc import Iterator
from datetime import date, datetime

from models.timetable import TimetableEntry
from worker.calendars.event import Event
from worker.calendars.zones import zone
from worker.foreign_text import clean, clean_lines
from worker.recurrence.instants import Instants, instants
from worker.schedules.timetable.form import occurrences, recurrence_of

_LONGEST_SUMMARY = 300


def entry_events(entry: TimetableEntry, *, since: datetime, until: datetime) -> Iterator[Event]:
    """The repeating event, or one for each date between these instants. An entry without days has none."""
    recurrence = recurrence_of(entry)
    if recurrence is None:
        return
    if recurrence.rule is None:
        for when in occurrences(entry, since, until):
            day = when.starts_at.astimezone(zone(entry.timezone)).date()
            yield _event(entry, when, uid=f"entry-{entry.id}-{day:%Y%m%d}@astegni")
        return
    # Not from its first year on: the zone's rules may have changed since then, and Outlook accepts only one rule.
    (day,) = recurrence.next_days(1, date(since.year - 1, 12, 31))
    first = instants(day, entry.start_time, entry.end_time, zone(entry.timezone))
    if first.starts_at < until:
        yield _event(entry, first, uid=f"entry-{entry.id}@astegni", rrule=str(recurrence.rule))


def _event(entry: TimetableEntry, when: Instants, *, uid: str, rrule: str = "") -> Event:
    return Event(
        uid=uid,
        sequence=entry.sequence,
        created_at=entry.created_at,
        changed_at=entry.updated_at,
        starts_at=when.starts_at,
        ends_at=when.ends_at,
        timezone=entry.timezone,
        summary=clean(entry.title, _LONGEST_SUMMARY),
        description="\n".join(filter(None, (clean_lines(text or "") for text in (entry.description, entry.notes)))),
        categories=("Timetable",),
        rrule=rrule,
    )
