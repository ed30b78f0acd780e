"""A lesson as a calendar event, worded for its reader: tutor, student or parent."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from worker.calendars.event import Event
from worker.foreign_text import clean, clean_lines, foreign_link

View = Literal["tutor", "student", "parent"]

# Names in a summary; a calendar shows little more than forty letters of it.
_MAX_NAMES = 3
_LONGEST_SUMMARY = 300
_FORMATS = {"online": "Online", "in-person": "In person", "hybrid": "Online and in person"}


@dataclass(frozen=True)
class FeedLesson:
    """A row of `tutor_schedules` and its people: `students` are those whose names the reader may see."""

    view: View
    id: int
    tutor: str
    students: tuple[str, ...]
    is_slot: bool
    starts_at: datetime
    ends_at: datetime
    timezone: str | None
    status: str
    sequence: int
    created_at: datetime
    updated_at: datetime
    subject: str | None
    grade_level: str | None
    session_format: str | None
    recurrence_pattern: str | None
    meeting_link: str | None
    location: str | None
    notes: str | None


def feed_event(lesson: FeedLesson, *, timezone: str) -> Event:
    """The lesson as an event; `timezone` is for rows without one. Its UID never changes."""
    link = _marked(lesson.meeting_link)
    kind = "Free slot" if lesson.is_slot else "Lesson"
    return Event(
        uid=f"lesson-{lesson.id}@astegni",
        sequence=lesson.sequence,
        created_at=lesson.created_at,
        changed_at=lesson.updated_at,
        starts_at=lesson.starts_at,
        ends_at=lesson.ends_at,
        timezone=lesson.timezone or timezone,
        summary=clean(_summary(lesson), _LONGEST_SUMMARY),
        cancelled=lesson.status == "cancelled",
        busy=not lesson.is_slot,
        description=_description(lesson, link),
        # Google and most phones show the location and hide URL, where the tutor's link could not be marked as theirs.
        location=_marked(lesson.location) or clean_lines(lesson.location or "") or link,
        categories=(kind, lesson.subject) if lesson.subject else (kind,),
    )


def _summary(lesson: FeedLesson) -> str:
    # In the text too: in a subscribed calendar Outlook shows a cancelled event like any other.
    before = "Cancelled: " if lesson.status == "cancelled" else ""
    if lesson.is_slot:
        return before + ": ".join(filter(None, ("Free slot", lesson.subject)))
    if lesson.view == "parent" and lesson.students:
        before += f"{_listed(lesson.students)}: "
    partner = _listed(lesson.students) if lesson.view == "tutor" else lesson.tutor
    return before + " with ".join(filter(None, (lesson.subject or "Lesson", partner)))


def _description(lesson: FeedLesson, link: str) -> str:
    written = (
        f"Students: {', '.join(lesson.students)}" if len(lesson.students) > _MAX_NAMES else None,
        lesson.grade_level,
        _FORMATS.get(lesson.session_format or ""),
        lesson.recurrence_pattern,
    )
    lines = (*(clean_lines(words) for words in written if words), link, clean_lines(lesson.notes or ""))
    return "\n".join(filter(None, lines))


def _marked(address: str | None) -> str:
    """The tutor's link, preceded by its host and owner; empty when it may not be shown."""
    link = foreign_link(address) if address else None
    return f"{link.host} (link from the tutor): {link.address}" if link else ""


def _listed(names: Sequence[str]) -> str:
    if len(names) > _MAX_NAMES:
        return f"{', '.join(names[: _MAX_NAMES - 1])} and {len(names) - _MAX_NAMES + 1} others"
    return " and ".join(filter(None, (", ".join(names[:-1]), *names[-1:])))
