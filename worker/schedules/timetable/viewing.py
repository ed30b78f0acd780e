"""Entries as they are shown: their next occurrence, and the person's lessons at the same times."""

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice
from typing import Any

from sqlalchemy import Row, text
from sqlalchemy.orm import Session

from models.timetable import TimetableEntry
from worker.recurrence.instants import Instants
from worker.schedules.timetable.form import next_occurrence, occurrences, recurrence_of

# How far ahead lessons are searched; series are stored about as far.
SHOWN_AHEAD = timedelta(days=90)
# Per entry; a daily entry may collide with hundreds of lessons.
MAX_CONFLICTS = 20
_DAY = timedelta(days=1)

# Lessons that the person teaches or attends. Slots that nobody has booked take no time.
_LESSONS = text(
    """
    SELECT lesson.id, lesson.starts_at, lesson.ends_at
      FROM tutor_profiles tutor JOIN tutor_schedules lesson ON lesson.tutor_id = tutor.id
     WHERE tutor.user_id = :user_id AND tutor.is_active AND lesson.student_id IS NOT NULL
       AND lesson.status IN ('scheduled', 'in_progress') AND lesson.starts_at < :until AND lesson.ends_at > :since
       AND lesson.schedule_date BETWEEN CAST(:since AS date) - 2 AND CAST(:until AS date) + 2
     UNION
    SELECT seat.schedule_id, seat.starts_at, seat.ends_at
      FROM student_profiles student JOIN schedule_participants seat ON seat.student_id = student.id
     WHERE student.user_id = :user_id AND student.is_active AND seat.status IN ('scheduled', 'in_progress')
       AND seat.starts_at < :until AND seat.ends_at > :since
     ORDER BY 2, 1
    """
)


@dataclass(frozen=True)
class EntryConflict:
    """An occurrence of an entry at the time of a lesson of the same person."""

    starts_at: datetime
    ends_at: datetime
    schedule_id: int


@dataclass(frozen=True)
class EntryView:
    """An entry, its days in plain English, its next occurrence (None if there is none), and its conflicts."""

    entry: TimetableEntry
    text: str | None
    next: Instants | None
    conflicts: Sequence[EntryConflict]


def view_entries(
    session: Session, user_id: int, entries: Sequence[TimetableEntry], *, now: datetime
) -> list[EntryView]:
    """These entries of the person, with the conflicts of the next ninety days; only active entries have any."""
    lessons: Sequence[Row[Any]] = ()
    if any(entry.status == "active" for entry in entries):
        lessons = session.execute(_LESSONS, {"user_id": user_id, "since": now, "until": now + SHOWN_AHEAD}).all()
    return [_view(entry, lessons, now) for entry in entries]


def _view(entry: TimetableEntry, lessons: Sequence[Row[Any]], now: datetime) -> EntryView:
    recurrence = recurrence_of(entry)
    conflicts = _conflicts(entry, lessons, now) if entry.status == "active" else iter(())
    return EntryView(
        entry,
        None if recurrence is None else recurrence.text(),
        next_occurrence(entry, now),
        list(islice(conflicts, MAX_CONFLICTS)),
    )


def _conflicts(entry: TimetableEntry, lessons: Sequence[Row[Any]], now: datetime) -> Iterator[EntryConflict]:
    """The conflicts of an entry. `lessons` are ordered by start; those of two roles may overlap each other."""
    if not lessons:
        return
    begins = [lesson.starts_at for lesson in lessons]
    for starts_at, ends_at in occurrences(entry, now - _DAY, now + SHOWN_AHEAD):
        if ends_at <= now:
            continue
        # No lesson is longer than a day.
        for lesson in lessons[bisect_left(begins, starts_at - _DAY) : bisect_left(begins, ends_at)]:
            if lesson.ends_at > starts_at:
                yield EntryConflict(starts_at, ends_at, lesson.id)
