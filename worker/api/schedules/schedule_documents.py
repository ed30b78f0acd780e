"""Lessons, slots and conflicts as the calendar's routes return them: the columns of its tables."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, datetime
from typing import Any, Literal, Self

from worker.api.http.fields import Document
from worker.api.schedules.calendar_documents import InCalendar
from worker.schedules.conflicts.clash import ScheduleClash
from worker.schedules.series.create_series import CreationResult
from worker.schedules.viewing import LessonView

ScheduleStatus = Literal["scheduled", "in_progress", "completed", "cancelled"]


class ConflictDocument(Document):
    """A lesson that collides with another: who is busy, and with which lesson."""

    schedule_date: date
    starts_at: datetime
    ends_at: datetime
    reason: str
    schedule_id: int | None
    student_id: int | None = None


class ScheduleDocument(InCalendar):
    """A lesson or a free slot; `conflicts` are the caller's own lessons at that time by another of their roles."""

    id: int
    tutor_id: int
    booking_id: int | None
    series_id: int | None
    student_id: int | None
    student_name: str | None
    participants: list[int]
    subject: str | None
    grade_level: str | None
    session_format: str | None
    timezone: str | None
    starts_at: datetime | None
    ends_at: datetime | None
    meeting_link: str | None
    location: str | None
    notes: str | None
    status: str
    cancelled_by: str | None
    attendance: str
    is_recurring: bool
    recurrence_pattern: str | None
    occurrence_date: date | None
    is_override: bool
    booked_at: datetime | None
    sequence: int
    created_at: datetime
    updated_at: datetime
    conflicts: list[ConflictDocument]

    @classmethod
    def of(cls, view: LessonView, calendar: str) -> Self:
        """The document of a lesson, with what the caller may see of it."""
        return cls(**_values(cls, view)).shown_in(calendar)


class ChangedSchedule(ScheduleDocument):
    """A lesson after a change; `conflicts` also has the lessons of its series that collide."""

    @classmethod
    def after(cls, view: LessonView, conflicts: Sequence[ScheduleClash]) -> Self:
        """The document of the lesson and the conflicts of the change."""
        return cls(**_values(cls, replace(view, conflicts=[*conflicts, *view.conflicts])))


def _values(cls: type[ScheduleDocument], view: LessonView) -> Mapping[str, Any]:
    """The columns of the row, with only those students that the caller may see."""
    own = {name: getattr(view.lesson, name) for name in cls.model_fields if hasattr(view.lesson, name)}
    return own | {
        "student_id": view.student_id,
        "student_name": view.student_name,
        "booking_id": view.booking_id,
        "participants": list(view.participants),
        "conflicts": [ConflictDocument.model_validate(clash) for clash in view.conflicts],
    }


class FirstLesson(InCalendar):
    """One of the first lessons that were made; without an id in a dry run."""

    id: int | None
    timezone: str
    starts_at: datetime
    ends_at: datetime


class MadeDocument(Document):
    """What was, or would be, made: a series or a single lesson, its rule in plain English, and its first lessons."""

    series_id: int | None
    schedule_id: int | None
    text: str
    occurrences: int
    first: list[FirstLesson]
    conflicts: list[ConflictDocument]

    @classmethod
    def of(cls, result: CreationResult, calendar: str, *, dry_run: bool) -> Self:
        """The document; without ids in a dry run, whose rows are rolled back."""
        first = [FirstLesson.model_validate(row).shown_in(calendar) for row in result.first]
        return cls(
            series_id=None if dry_run else result.series_id,
            schedule_id=None if dry_run else result.schedule_id,
            text=result.text,
            occurrences=result.lessons,
            first=[lesson.model_copy(update={"id": None}) for lesson in first] if dry_run else first,
            conflicts=[ConflictDocument.model_validate(clash) for clash in result.conflicts],
        )


class FreeSlotDocument(Document):
    """A part of a slot in which the tutor is free. Only a whole slot can be booked."""

    schedule_id: int
    starts_at: datetime
    ends_at: datetime
    bookable: bool
    subject: str | None
    grade_level: str | None
    session_format: str | None
